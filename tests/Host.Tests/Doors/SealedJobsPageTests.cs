using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>The section "Sealed jobs" of docs/security.md: its commands, files and program, as they stand there.</summary>
public sealed class SealedJobsPageTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("python3", "python3 python3-cryptography")]
    public async Task Its_example_works_as_it_stands()
    {
        IReadOnlyList<string> blocks = CodeBlocks.Of("docs/security.md", "Sealed jobs");
        string keys = blocks.Single(block => block.Contains("keys new")), config = blocks.Single(block => block.Contains("\"security\""));
        string place = $"ipc://{_folder["shop.sock"]}";
        string client = blocks.Single(block => block.Contains("SealedClient")).Replace("tcp://127.0.0.1:9100", place);
        string manifest = _folder.Write("shop.json", blocks.Single(block => block.Contains("\"tasks\"")).Replace("tcp://lo:9100", place));
        _folder.Write("shop.py", "def invoice(request):\n    yield b'invoice for ' + request\n");
        Assert.Equal((0, "", ""), await RunAsync("/bin/bash", "-c", keys.Replace("cocaine-fast ", $"'{ServeProcess.Program}' ")));
        string security = config[1..^1].Replace("/etc/cocaine-fast/keys", _folder["keys"]);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, security);
        (int code, _, string errors) = await serve.RunAsync("app", "create", manifest);
        Assert.True(code == 0, errors);
        Assert.Equal((0, "b'invoice for 5 pieces'\n", ""), await RunAsync("/usr/bin/python3", "-c", client));
        (code, _, errors) = await serve.RunAsync("call", place, "invoice", "--data", "5");
        Assert.Equal((1, true), (code, errors.Contains("this door wants to know who calls: a sealed request")));
        await serve.UntilLogAsync("reason=not-sealed");
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(string program, params string[] words)
    {
        ProcessStartInfo start = new(program, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
            Environment = { ["PYTHONPATH"] = Path.Combine(Repository.Root, "workers/python"), ["PYTHONDONTWRITEBYTECODE"] = "1" },
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
