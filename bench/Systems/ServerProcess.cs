using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>A server in a process of its own: ends when its standard input does, or is killed.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(20);
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    /// <summary>What it printed after "ready".</summary>
    public string Ready { get; private set; } = "";

    /// <summary>Starts this program in another role.</summary>
    public static Task<ServerProcess> StartRoleAsync(params string[] arguments) =>
        StartAsync(Environment.ProcessPath!, [.. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal)
            ? [typeof(ServerProcess).Assembly.Location] : (string[])[], .. arguments], "ready ");

    /// <summary>Starts a program, and waits for a line that contains a text; "" waits for nothing.</summary>
    public static async Task<ServerProcess> StartAsync(
        string file, IReadOnlyList<string> arguments, string readyMark, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        ServerProcess server = new(process);
        TaskCompletionSource<string> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => Look(line.Data);
        process.ErrorDataReceived += (_, line) => Look(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (readyMark.Length > 0)
        {
            server.Ready = await ready.Task.WaitAsync(ReadyTimeout);
        }

        return server;

        void Look(string? line)
        {
            if (line is not null && line.Contains(readyMark, StringComparison.Ordinal))
            {
                ready.TrySetResult(line);
            }
            else if (line is null)
            {
                ready.TrySetException(new IOException($"{file} ended before it served"));
            }
        }
    }

    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(1000))
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        catch (Exception gone) when (gone is InvalidOperationException or IOException)
        {
            // it has ended already
        }

        _process.Dispose();
    }
}
