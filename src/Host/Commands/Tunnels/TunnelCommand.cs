using System.CommandLine;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Logs;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Commands.Tunnels;

/// <summary><c>cocaine-fast tunnel --listen ENDPOINT --to tls://HOST:PORT</c></summary>
internal static class TunnelCommand
{
    public static Command Create()
    {
        Option<string> listen = new("--listen")
        {
            Description = "Where programs without TLS connect: ipc:///path or tcp://lo:PORT",
            Required = true,
        };
        Option<string> to = new("--to") { Description = "The server: tls://HOST:PORT", Required = true };
        to.Check(text => text is null || ServerConnector.IsTls(text), "--to: tls://HOST:PORT is needed");
        Command command = new(
            "tunnel",
            "Pass connections without TLS on to a server over TLS, until interrupted: for programs that speak no TLS.\n\nExample:\n"
            + "  cocaine-fast tunnel --listen tcp://lo:9100 --to tls://node.example.org:9100 --ca ca.pem")
        {
            listen, to,
        };
        TlsOptions tls = TlsOptions.AddTo(command, to);
        command.SetAction((parsed, stop) => Guarded.RunAsync(() =>
            RunAsync(Endpoint.Parse(parsed.GetValue(listen)!), parsed.GetValue(to)!, tls.Of(parsed), stop)));
        return command;
    }

    private static async Task<int> RunAsync(Endpoint listen, string to, ClientOptions options, CancellationToken stop)
    {
        using ILoggerFactory logging = Logging.Create(LogLevel.Information, "text");
        ILogger log = logging.CreateLogger("tunnel");
        await TryServerAsync(to, options, log, stop);
        if (!EndpointSyntax.IsOnThisHost(listen.Text))
        {
            TunnelLog.OpenDoor(log, listen.Text);
        }

        using EventLoop loop = new(log);
        Tunnel tunnel = new(loop, to, options, log);
        loop.Start("cocaine-tunnel");
        await OnLoop(loop, () => tunnel.Open(listen));
        foreach (string endpoint in tunnel.Endpoints)
        {
            Console.WriteLine($"ready listen={endpoint} to={to}");
        }

        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await OnLoop(loop, tunnel.Close);
        (long accepted, long failed, long cut, long refused, long there, long back) = tunnel.Counts;
        TunnelLog.Stopped(log, accepted, failed, cut, refused, there, back);
        return ExitCodes.Ok;
    }

    /// <summary>Connects once: mistakes in the settings end the command, and a server that is not there yet is told.</summary>
    private static async Task TryServerAsync(string to, ClientOptions options, ILogger log, CancellationToken stop)
    {
        try
        {
            ServerSocket server = await ServerConnector.ConnectAsync(to, options, stop);
            server.Session?.Dispose();
            _ = LibC.close(server.Descriptor);
        }
        catch (ConnectionLostException failure)
        {
            TunnelLog.NotThere(log, failure.Message);
        }
    }

    private static Task OnLoop(EventLoop loop, Action work)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        });
        return done.Task;
    }
}
