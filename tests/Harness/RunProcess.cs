using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Harness;

/// <summary><c>cocaine-fast run</c> as a process, with one Python app in a folder of the test.</summary>
internal sealed class RunProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly StringBuilder _log = new();
    private readonly Task _logRead;
    private bool _isReady; // and its standard output is read

    private RunProcess(Process process)
    {
        Process = process;
        _logRead = ReadLogAsync();
    }

    public Process Process { get; }

    /// <summary>What it has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts it and waits for nothing.</summary>
    /// <param name="folder">For the app, the manifest and what the node keeps.</param>
    /// <param name="code">The app, app.py.</param>
    /// <param name="more">Members of the manifest beside type, args and tasks.</param>
    /// <param name="args">Members of args beside the source.</param>
    /// <param name="before">A program and its words that start the node.</param>
    /// <param name="words">More words for run.</param>
    /// <param name="environment">Changes to the environment; null takes a variable away.</param>
    public static RunProcess Start(
        TestFolder folder, string code, string more = "", string args = "", string[]? before = null, string[]? words = null,
        params (string Name, string? Value)[] environment)
    {
        folder.Write("app.py", code);
        string manifest = folder.Write("app.json", $$"""
            { "name": "app", "type": "python", "args": { "source": "app.py"{{(args.Length > 0 ? ", " + args : "")}} }{{(more.Length > 0 ? ", " + more : "")}},
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        string[] command = [.. before ?? [], ServeProcess.Program, "run", manifest, "--locator", "none", "--ledger-folder", folder["ledger"],
            .. words ?? []];
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        return new RunProcess(Process.Start(start)!);
    }

    /// <summary>Waits until the app is ready, and connects to it.</summary>
    public async Task<CocaineClient> ConnectAsync()
    {
        string? line;
        do
        {
            line = await Process.StandardOutput.ReadLineAsync(new CancellationTokenSource(Limit).Token);
        }
        while (line?.StartsWith("control", StringComparison.Ordinal) == true);

        Assert.True(line?.StartsWith("ready ", StringComparison.Ordinal), $"{line}\n{Log}");
        (_isReady, _) = (true, Process.StandardOutput.ReadToEndAsync());
        return await CocaineClient.ConnectAsync(line![(line!.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..]);
    }

    /// <summary>Waits for its end; the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        _ = _isReady ? null : Process.StandardOutput.ReadToEndAsync();
        await Process.WaitForExitAsync(new CancellationTokenSource(Limit).Token);
        await _logRead.WaitAsync(Limit);
        return Process.ExitCode;
    }

    public async Task UntilLogAsync(Predicate<string> isSo) => await UntilAsync(() => isSo(Log), () => Log);

    /// <summary>Looks until something is so; each look reads /proc or a log, so nothing tells when.</summary>
    public static async Task UntilAsync(Func<bool> isSo, Func<string>? what = null)
    {
        for (long end = Environment.TickCount64 + (long)Limit.TotalMilliseconds; !isSo();)
        {
            Assert.True(Environment.TickCount64 < end, what?.Invoke() ?? "it did not come about");
            await Task.Delay(10);
        }
    }

    public void Signal(string signal) => Signal(Process.Id, signal);

    public static void Signal(int process, string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{process}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill(entireProcessTree: true);
            Process.WaitForExit();
        }

        Process.Dispose();
    }

    private async Task ReadLogAsync()
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await Process.StandardError.ReadAsync(buffer)) > 0)
        {
            lock (_log)
            {
                _log.Append(buffer, 0, count);
            }
        }
    }
}
