using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Tells systemd the state of the service: sd_notify(3), a datagram of KEY=value lines to the socket of NOTIFY_SOCKET. Without a socket it
/// does nothing.
/// </summary>
internal sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _endpoint;
    private readonly ILogger _log;

    /// <param name="path">The path of a socket; a path that begins with @ is an abstract name. Null = nobody listens.</param>
    /// <param name="log">Gets failures.</param>
    public SystemdNotifier(string? path, ILogger log)
    {
        _log = log;
        if (path is not { Length: > 1 } || path[0] is not ('/' or '@'))
        {
            return;
        }

        _endpoint = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    }

    /// <summary>The notifier of this process, from its environment.</summary>
    public static SystemdNotifier OfProcess(ILogger log) => new(EnvironmentNames.Get(EnvironmentNames.NotifySocket), log);

    /// <summary>How often systemd expects a sign of life; null when it does not watch this process.</summary>
    public static TimeSpan? WatchdogInterval()
    {
        string? of = EnvironmentNames.Get(EnvironmentNames.WatchdogProcess);
        bool isOurs = of is null || of == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        string? given = EnvironmentNames.Get(EnvironmentNames.WatchdogInterval);
        return isOurs && long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    /// <summary>The service is up, or up again after a reload.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>The service reads its config again; <see cref="Ready"/> follows.</summary>
    public void Reloading() => Send(string.Create(
        CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}"));

    /// <summary>The service ends.</summary>
    public void Stopping() => Send("STOPPING=1\nSTATUS=stopping: jobs may finish");

    /// <summary>A line for systemctl status.</summary>
    public void Status(string status) => Send($"STATUS={status}");

    /// <summary>The service is alive.</summary>
    public void Alive() => Send("WATCHDOG=1");

    public void Dispose() => _socket?.Dispose();

    private void Send(string lines)
    {
        try
        {
            _socket?.SendTo(Encoding.UTF8.GetBytes(lines), _endpoint!);
        }
        catch (SocketException failure)
        {
            DaemonLog.NotifyFailed(_log, lines.Split('=')[0], failure.Message);
        }
    }
}
