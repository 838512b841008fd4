using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>The section "Sealed jobs" of docs/security.md: its commands, files and program, as they stand there.</summary>
public sealed class SealedJobsPageTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("python3", "python3 python3-cryptography")]
    public async Task Its_examples_work_as_they_stand()
    {
        IReadOnlyList<string> blocks = CodeBlocks.Of("docs/security.md", "Sealed jobs");
        string keys = blocks.Single(block => block.Contains("keys new")), config = blocks.Single(block => block.Contains("\"security\""));
        string place = $"ipc://{_folder["shop.sock"]}";
        string manifest = _folder.Write("shop.json", blocks.Single(block => block.Contains("\"tasks\"")).Replace("tcp://lo:9100", place));
        _folder.Write("shop.py", "def invoice(request):\n    yield b'invoice for ' + request\n");
        Assert.Equal((0, "", ""), await RunAsync("/bin/bash", "-c", keys.Replace("cocaine-fast ", $"'{ServeProcess.Program}' ")));
        string security = config[1..^1].Replace("/etc/cocaine-fast/keys", _folder["keys"]);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, security);
        (int code, _, string errors) = await serve.RunAsync("app", "create", manifest);
        Assert.True(code == 0, errors);
        foreach (string program in blocks.Where(block => block.Contains("5 pieces")).Select(block => block.Replace("tcp://127.0.0.1:9100", place)))
        {
            if (CommandOf(program) is { } command)
            {
                Assert.Equal((0, "invoice for 5 pieces\n", ""), await RunAsync("/bin/bash", "-c", command));
            }
        }

        (code, _, errors) = await serve.RunAsync("call", place, "invoice", "--data", "5");
        Assert.Equal((1, true), (code, errors.Contains("this door wants to know who calls: a sealed request")));
        await serve.UntilLogAsync("reason=not-sealed");
    }

    /// <summary>The command that runs a program of the page, in whatever language it is; null without that language on this machine.</summary>
    private string? CommandOf(string program)
    {
        string workers = Path.Combine(Repository.Root, "workers");
        if (program.StartsWith("cocaine-fast call ", StringComparison.Ordinal))
        {
            return program.Trim().Replace("cocaine-fast ", $"'{ServeProcess.Program}' ") + " && echo";
        }

        if (program.StartsWith("from ", StringComparison.Ordinal))
        {
            return $"PYTHONPATH='{workers}/python' /usr/bin/python3 {_folder.Write("client.py", program)}";
        }

        if (program.StartsWith("import ", StringComparison.Ordinal))
        {
            _folder.Write("client.mjs", program);
            return !NeedsFactAttribute.IsHere("node") ? null
                : $"mkdir -p node_modules && ln -sfn '{workers}/javascript' node_modules/cocaine && node client.mjs";
        }

        if (program.StartsWith("use ", StringComparison.Ordinal))
        {
            return !File.Exists("/usr/share/perl5/Crypt/JWT.pm") ? null
                : $"perl '-I{workers}/perl/lib' {_folder.Write("client.pl", program)}";
        }

        Assert.StartsWith("#include", program);
        string source = _folder.Write("client.cpp", program);
        return !NeedsFactAttribute.IsHere("g++") || !File.Exists("/usr/include/openssl/evp.h") ? null
            : $"g++ -std=c++17 '-I{workers}/cpp/include' {source} -o client -lcrypto && ./client";
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(string program, params string[] words)
    {
        ProcessStartInfo start = new(program, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
            Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
