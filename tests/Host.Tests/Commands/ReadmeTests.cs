using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>"A first app" of the README, word by word.</summary>
[Collection(nameof(Alone))]
public sealed class ReadmeTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_app_runs_and_answers_as_it_says()
    {
        IReadOnlyList<string> blocks = CodeBlocks.Of("README.md", "A first app");
        _folder.Write("hello.py", blocks.Single(block => block.Contains("def hello")));
        _folder.Write("hello.json", blocks.Single(block => block.Contains("native-server")));
        string[] run = blocks.Single(block => block.StartsWith("cocaine-fast run", StringComparison.Ordinal)).Split('\n');
        string[] call = blocks.Single(block => block.StartsWith("cocaine-fast call", StringComparison.Ordinal)).Split('\n');

        using Process node = Start("exec " + run[0]);
        try
        {
            _ = node.StandardError.ReadToEndAsync(); // or its pipe fills
            CancellationToken limit = new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;
            List<string> said = [];
            while (!said.Contains(run[1]))
            {
                said.Add(await node.StandardOutput.ReadLineAsync(limit) ?? throw new EndOfStreamException(string.Join('\n', said)));
            }

            using Process answer = Start(call[0]);
            Assert.Equal(call[1], await answer.StandardOutput.ReadToEndAsync(limit));
        }
        finally
        {
            node.Kill();
            await node.WaitForExitAsync();
        }
    }

    private Process Start(string command)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", command])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Path.GetDirectoryName(TerminalProgram.Path)}:{Environment.GetEnvironmentVariable("PATH")}";
        return Process.Start(start)!;
    }
}
