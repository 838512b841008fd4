using System.Diagnostics;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Harness;

/// <summary><c>cocaine-fast serve</c> as a process, with its state and its control socket in a folder of the test.</summary>
internal sealed class ServeProcess : IDisposable
{
    public static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    private readonly List<string> _lines = [];
    private readonly List<(string Text, TaskCompletionSource Seen)> _waiting = [];
    private readonly Lock _lock = new();

    private ServeProcess(Process process, string endpoint)
    {
        Process = process;
        Endpoint = endpoint;
        process.ErrorDataReceived += (_, line) => OnLine(line.Data);
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    public Process Process { get; }

    public string Endpoint { get; }

    public string Log
    {
        get
        {
            lock (_lock)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Starts it, and does not wait for anything.</summary>
    public static ServeProcess Start(TestFolder folder, string more = "", params (string Name, string Value)[] environment) =>
        Start(folder, more, descriptors: 0, environment);

    /// <summary>Starts it with so few descriptors, 0 for as many as there are, and waits until it serves.</summary>
    public static async Task<ServeProcess> StartAsync(TestFolder folder, int descriptors)
    {
        ServeProcess serve = Start(folder, "", descriptors, []);
        await serve.UntilLogAsync("serving: ");
        return serve;
    }

    /// <summary>Starts another program than that of the build, and waits until it serves.</summary>
    public static async Task<ServeProcess> StartProgramAsync(TestFolder folder, string program)
    {
        ServeProcess serve = Start(folder, "", 0, [], program);
        await serve.UntilLogAsync("serving: ");
        return serve;
    }

    /// <summary>Starts it with more members of <c>control</c>, and waits until it serves.</summary>
    public static async Task<ServeProcess> StartControlAsync(TestFolder folder, string control, string more)
    {
        ServeProcess serve = Start(folder, more, 0, [], control: ", " + control);
        await serve.UntilLogAsync("serving: ");
        return serve;
    }

    private static ServeProcess Start(
        TestFolder folder, string more, int descriptors, (string Name, string Value)[] environment, string? program = null, string control = "")
    {
        string endpoint = $"ipc://{folder["control.sock"]}";
        string locator = more.Contains("\"locator\":", StringComparison.Ordinal) ? "" : "\"locator\": \"none\",";
        string config = folder.Write("node.json", $$"""
            { "state": "{{folder["state"]}}", "ledger": "{{folder["ledger"]}}", {{locator}} "loops": 1, "control": { "endpoint": "{{endpoint}}"{{control}} }, {{more}} }
            """);
        string[] words = ["serve", "--config", config];
        ProcessStartInfo start = descriptors == 0 ? new(program ?? Program, words)
            : new("/usr/bin/prlimit", [$"--nofile={descriptors}:{descriptors}", Program, .. words]);
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ServeProcess(Process.Start(start)!, endpoint);
    }

    /// <summary>Starts it and waits until it serves.</summary>
    public static async Task<ServeProcess> StartAsync(TestFolder folder, string more = "", params (string Name, string Value)[] environment)
    {
        ServeProcess serve = Start(folder, more, environment);
        await serve.UntilLogAsync("serving: ");
        return serve;
    }

    public Task<NodeControlClient> ConnectAsync() => NodeControlClient.ConnectAsync(Endpoint);

    /// <summary>Waits for a line of its log.</summary>
    public async Task UntilLogAsync(string text)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_lines.Exists(line => line.Contains(text)))
            {
                return;
            }

            _waiting.Add((text, seen));
        }

        Task ended = Process.WaitForExitAsync();
        Task first = await Task.WhenAny(seen.Task, ended, Task.Delay(TimeSpan.FromSeconds(60)));
        Assert.True(first == seen.Task || Log.Contains(text), $"no line '{text}' came:\n{Log}");
    }

    /// <summary>Waits for a line of its log that has both texts.</summary>
    public Task UntilLineAsync(string text, string andText) => RunProcess.UntilAsync(
        () => Array.Exists(Log.Split('\n'), line => line.Contains(text) && line.Contains(andText)), () => $"no line '{text} … {andText}' came:\n{Log}");

    public void Signal(string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{Process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end; the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await Process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        return Process.ExitCode;
    }

    /// <summary>Runs a command that talks to it.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(Program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["COCAINE_NODE"] = Endpoint;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        return (process.ExitCode, await output, await error);
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
            Process.WaitForExit();
        }

        Process.Dispose();
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lock)
        {
            _lines.Add(line);
            _waiting.RemoveAll(wait => line.Contains(wait.Text) && wait.Seen.TrySetResult());
        }
    }
}
