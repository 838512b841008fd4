using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>What scripts rely on: the codes of docs/commands.md, and mistakes that leave the screen as it is.</summary>
public class ExitCodeTests
{
    [Theory]
    [InlineData(0, "--version")]
    [InlineData(0, "--help")]
    [InlineData(0, "app list --help")]
    [InlineData(0, "schema")]
    [InlineData(0, "completion zsh")]
    [InlineData(1, "why 1 --folder /nowhere/at/all")]
    [InlineData(2, "aplist")]
    [InlineData(2, "app lst")]
    [InlineData(2, "app")]
    [InlineData(2, "call")]
    [InlineData(2, "call http://127.0.0.1:9100/ echo")]
    [InlineData(2, "run --lop 3 x.json")]
    [InlineData(2, "run x.json --loops many")]
    [InlineData(2, "run x.json --log-level loud")]
    [InlineData(2, "check /nowhere/at/all.json")]
    [InlineData(2, "serve --config /nowhere/at/all.json")]
    [InlineData(2, "new cobol app")]
    [InlineData(3, "call tcp://127.0.0.1:1 echo")]
    [InlineData(3, "call some-app echo --locator tcp://127.0.0.1:1")]
    [InlineData(3, "info ipc:///nowhere/at/all.sock")]
    [InlineData(3, "app list --node ipc:///nowhere/at/all.sock")]
    [InlineData(3, "events --node ipc:///nowhere/at/all.sock")]
    public async Task A_command_ends_with_the_code_that_is_documented_and_fails_in_three_lines_at_most(int code, string words)
    {
        ProcessStartInfo start = new(TerminalProgram.Path, words.Split(' ')) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token);
        Assert.True(code == process.ExitCode, $"{process.ExitCode}: {await output}{await error}");
        Assert.InRange((await error).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, code == 0 ? 0 : 1, code == 0 ? 0 : 3);
        Assert.Equal(code == 0, (await output).Length > 0);
    }

    [Fact]
    public void Every_code_is_documented()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/commands.md"));
        IEnumerable<int> documented = Regex.Matches(page, @"(?m)^\| (\d) \|").Select(row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal([ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Invalid, ExitCodes.NoConnection], documented);
    }
}
