using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.ClusterChaos;

/// <summary>The engine of a run: a nats-server with a port and a folder of its own.</summary>
/// <param name="folder">The folder of its disk.</param>
internal sealed class EngineProcess(string folder) : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly int _port = FreePort();
    private Process? _process;

    /// <summary>The address for the nodes.</summary>
    public string Url => $"nats://127.0.0.1:{_port}";

    /// <summary>Starts it, and waits until it takes connections.</summary>
    /// <exception cref="NodeException">There is no nats-server, or it does not come up.</exception>
    public async Task StartAsync()
    {
        try
        {
            _process = Process.Start(new ProcessStartInfo("nats-server", ["-js", "-a", "127.0.0.1", "-p", $"{_port}", "-sd", folder])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception lack)
        {
            throw new NodeException($"nats-server cannot be started: {lack.Message}; 'apt install nats-server'", lack);
        }

        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using CancellationTokenSource late = new(StartLimit);
        while (!await AnswersAsync(late.Token).ConfigureAwait(false))
        {
            if (_process.HasExited || late.IsCancellationRequested)
            {
                throw new NodeException($"nats-server does not take connections at {Url}");
            }

            await Task.Delay(20, CancellationToken.None).ConfigureAwait(false); // it tells nobody
        }
    }

    /// <summary>SIGKILL.</summary>
    /// <param name="wipes">Its disk is lost too.</param>
    public void Kill(bool wipes = false)
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        if (wipes)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>SIGSTOP or SIGCONT.</summary>
    public void Signal(int signal) => _ = LibC.kill(_process!.Id, signal);

    public void Dispose() => Kill();

    private async Task<bool> AnswersAsync(CancellationToken late)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _port), late).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
