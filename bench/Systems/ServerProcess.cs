using System.Collections.Concurrent;
using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>A server in a process of its own. It is ended with its owner, or at the latest with this process.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentDictionary<ServerProcess, bool> Living = new();
    private readonly Process _process;

    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Living.Keys.ToList().ForEach(server => server.Dispose());

    private ServerProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    /// <summary>The lines with which it said that it serves.</summary>
    public IReadOnlyList<string> Ready { get; private set; } = [];

    /// <summary>A folder that goes with it.</summary>
    public string? Folder { get; set; }

    /// <summary>How this program starts itself in another role.</summary>
    public static ProcessStartInfo OwnRole(params string[] arguments)
    {
        string program = Environment.ProcessPath!;
        bool hosted = Path.GetFileName(program) == "dotnet";
        return new ProcessStartInfo(program, [.. hosted ? [typeof(ServerProcess).Assembly.Location] : (string[])[], .. arguments]);
    }

    /// <summary>Starts a program, and waits for so many lines that contain a text.</summary>
    public static async Task<ServerProcess> StartAsync(ProcessStartInfo start, string readyMark, int readyLines = 1)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        Process process = Process.Start(start)!;
        ServerProcess server = new(process);
        Living[server] = true;
        List<string> said = [];
        string last = "";
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => Look(line.Data);
        process.ErrorDataReceived += (_, line) => Look(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(ReadyTimeout);
        }
        catch
        {
            server.Dispose();
            throw;
        }

        server.Ready = said;
        return server;

        void Look(string? line)
        {
            lock (said)
            {
                if (line is null)
                {
                    ready.TrySetException(new IOException($"{start.FileName} ended before it served: {last}"));
                    return;
                }

                last = line;
                if (!ready.Task.IsCompleted && line.Contains(readyMark, StringComparison.Ordinal))
                {
                    said.Add(line);
                    if (said.Count == readyLines)
                    {
                        ready.TrySetResult();
                    }
                }
            }
        }
    }

    public void Dispose()
    {
        if (!Living.TryRemove(this, out _))
        {
            return;
        }

        try
        {
            using (Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            {
                kill.WaitForExit();
            }

            if (!_process.WaitForExit(2000))
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        catch (InvalidOperationException)
        {
            // it has ended already
        }

        _process.Dispose();
        if (Folder is not null)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
