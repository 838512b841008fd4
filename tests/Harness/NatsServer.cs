using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Harness;

/// <summary>A real nats-server with a port and a folder of its own.</summary>
internal sealed class NatsServer(params string[] more) : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private readonly int _port = FreePort();
    private Process? _process;

    public string Url => $"nats://127.0.0.1:{_port}";

    public string Folder { get; } = Directory.CreateTempSubdirectory("cocaine-nats-").FullName;

    /// <param name="more">Further arguments, for each start.</param>
    public static async Task<NatsServer> StartNewAsync(params string[] more)
    {
        NatsServer server = new(more);
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        string[] arguments = ["-js", "-a", "127.0.0.1", "-p", $"{_port}", "-sd", Folder, .. more];
        _process = Process.Start(new ProcessStartInfo("nats-server", arguments) { RedirectStandardError = true })!;
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("Server is ready") == true)
            {
                ready.TrySetResult();
            }
        };
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(StartTimeout);
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>STOP or CONT.</summary>
    public void Signal(string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The engine's disk is gone.</summary>
    public void Wipe() => Directory.Delete(Folder, recursive: true);

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }

        if (Directory.Exists(Folder))
        {
            Wipe();
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
