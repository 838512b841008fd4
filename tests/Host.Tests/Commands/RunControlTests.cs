using System.Diagnostics;
using System.Text.Json;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>Commands that talk to <c>cocaine-fast run</c>, one or several.</summary>
[Collection(nameof(Alone))]
public sealed class RunControlTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<Process> _runs = [];

    public void Dispose()
    {
        foreach (Process run in _runs)
        {
            if (!run.HasExited)
            {
                run.Kill();
                run.WaitForExit();
            }

            run.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task One_is_found_and_of_two_one_is_to_be_named()
    {
        Process first = await StartAsync("first");
        string ofFirst = $"ipc://{_folder[$"run-{first.Id}.sock"]}";
        Assert.Equal(["first"], await AppsAsync());
        Assert.Equal((0, "restarted app=first version=0\n", ""), await CommandAsync("app", "restart", "first"));
        Assert.Contains("first", (await CommandAsync("events", "first", "--json")).Output);
        Assert.Equal((0, "healthy apps=1\n", ""), await CommandAsync("health"));
        await UntilOfferedAsync("first", "cocaine-fast app restart ");

        Process second = await StartAsync("second");
        (int code, string output, string error) = await CommandAsync("app", "list");
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("say which one with --node", error);
        Assert.DoesNotContain("first", await OfferedAsync("cocaine-fast app restart "));
        await UntilOfferedAsync("first", $"cocaine-fast app restart --node {ofFirst} ");
        Assert.Contains(ofFirst, error);
        Assert.Contains($"ipc://{_folder[$"run-{second.Id}.sock"]}", error);
        Assert.Equal(["first"], await AppsAsync("--node", ofFirst));

        // A killed one leaves its socket, which is no node; the next one that starts removes it.
        second.Kill();
        await second.WaitForExitAsync();
        Assert.Equal(["first"], await AppsAsync());
        Process third = await StartAsync("third");
        Assert.False(File.Exists(_folder[$"run-{second.Id}.sock"]));

        foreach (Process run in (Process[])[first, third])
        {
            using Process kill = Process.Start("/bin/kill", ["-TERM", $"{run.Id}"]);
            await run.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
            Assert.Equal(0, run.ExitCode);
        }

        Assert.Empty(Directory.GetFiles(_folder.Path, "run-*.sock"));
        Assert.Equal(3, (await CommandAsync("app", "list")).Code);
    }

    [Fact]
    public async Task It_is_controlled_where_it_is_told_or_not_at_all()
    {
        string named = $"ipc://{_folder["named.sock"]}";
        await StartAsync("named", "--control", named);
        Assert.Equal(["named"], await AppsAsync("--node", named));
        await StartAsync("alone", "--control", "none");
        Assert.Equal(3, (await CommandAsync("app", "list")).Code);
        Assert.Empty(Directory.GetFiles(_folder.Path, "run-*.sock"));

        // An endpoint that was asked for and cannot be had is an error.
        Process refused = Start("refused", "--control", named);
        await refused.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("another node is controlled there", await refused.StandardError.ReadToEndAsync());
    }

    /// <summary>A machine that is busy may not say names within the moment that TAB waits: who wants them presses it again.</summary>
    private async Task UntilOfferedAsync(string word, string line)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!(await OfferedAsync(line)).Contains(word))
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private async Task<string[]> OfferedAsync(string line) => (await CommandAsync($"[suggest:{line.Length}]", line)).Output.Split('\n');

    private async Task<string[]> AppsAsync(params string[] more)
    {
        (int code, string output, string error) = await CommandAsync(["app", "list", "--json", .. more]);
        Assert.Equal((0, ""), (code, error));
        return [.. JsonSerializer.Deserialize<JsonElement[]>(output)!.Select(app => app.GetProperty("app").GetString()!)];
    }

    private Process Start(string app, params string[] more)
    {
        Process run = Process.Start(With(
            ["run", _folder.Manifest(app), "--locator", "none", "--ledger-folder", _folder[$"ledger-{app}"], .. more]))!;
        _runs.Add(run);
        return run;
    }

    private async Task<Process> StartAsync(string app, params string[] more)
    {
        Process run = Start(app, more);
        _ = run.StandardError.ReadToEndAsync(); // or its pipe fills
        string? line = await run.StandardOutput.ReadLineAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        Assert.StartsWith($"ready app={app} ", line);
        return run;
    }

    private async Task<(int Code, string Output, string Error)> CommandAsync(params string[] arguments)
    {
        using Process process = Process.Start(With(arguments))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The folder of control sockets is the test's own.</summary>
    private ProcessStartInfo With(string[] arguments)
    {
        ProcessStartInfo start = new(ServeProcess.Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RUNTIME_DIRECTORY"] = _folder.Path;
        start.Environment.Remove("COCAINE_NODE");
        return start;
    }
}
