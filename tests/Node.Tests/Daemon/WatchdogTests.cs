using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Node.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>The end of systemd: a datagram socket that a service sends its notes to.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    /// <param name="path">A path, or a name that begins with @: an abstract one.</param>
    public NotifySocket(string path) => _socket.Bind(new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));

    /// <summary>The next note; null when none comes in the time.</summary>
    public async Task<string?> NextAsync(TimeSpan limit)
    {
        byte[] buffer = new byte[4096];
        using CancellationTokenSource late = new(limit);
        try
        {
            return Encoding.UTF8.GetString(buffer, 0, await _socket.ReceiveAsync(buffer, late.Token));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Waits for a note that begins so, past others.</summary>
    public async Task<string> UntilAsync(string beginning)
    {
        TimeSpan limit = TimeSpan.FromSeconds(30);
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < limit && await NextAsync(limit) is { } note) // the watchdog's notes never end
        {
            if (note.StartsWith(beginning, StringComparison.Ordinal))
            {
                return note;
            }
        }

        throw new TimeoutException($"no note {beginning} came");
    }

    public void Dispose() => _socket.Dispose();
}

public class WatchdogTests
{
    [Fact]
    public async Task A_loop_that_is_stuck_stops_the_watchdog()
    {
        using TestFolder folder = new();
        using NotifySocket systemd = new(folder["notify.sock"]);
        using SystemdNotifier notifier = new(folder["notify.sock"], NullLogger.Instance);
        await using TestNode node = TestNode.Start();
        using CancellationTokenSource stop = new();
        TimeSpan interval = TimeSpan.FromMilliseconds(200);
        LogLines log = new();
        Task watchdog = Watchdog.RunAsync(node.Node.PingAsync, notifier, interval, log, stop.Token);
        Assert.Equal("WATCHDOG=1", await systemd.UntilAsync("WATCHDOG"));

        using ManualResetEventSlim gate = new(), stuck = new();
        node.Node.FirstLoop.Post(() =>
        {
            stuck.Set();
            gate.Wait(TimeSpan.FromSeconds(60));
        });
        Assert.True(stuck.Wait(TimeSpan.FromSeconds(30)));
        while (await systemd.NextAsync(interval * 5) is not null)
        {
            // what was answered before the loop got stuck
        }

        Assert.Contains(log.Lines, line => line.Contains("an event loop has not come round for"));
        gate.Set();
        Assert.Equal("WATCHDOG=1", await systemd.UntilAsync("WATCHDOG"));
        await stop.CancelAsync();
        await watchdog;
    }

    [Fact]
    public async Task Notes_reach_an_abstract_name_and_nobody()
    {
        string name = $"@cocaine-fast-test-{Guid.NewGuid():N}";
        using NotifySocket systemd = new(name);
        using SystemdNotifier notifier = new(name, NullLogger.Instance);
        notifier.Ready("2 apps run");
        Assert.Equal("READY=1\nSTATUS=2 apps run", await systemd.NextAsync(TimeSpan.FromSeconds(30)));
        using SystemdNotifier nobody = new(null, NullLogger.Instance);
        nobody.Ready("nobody hears it");
        LogLines log = new();
        using SystemdNotifier gone = new("/nowhere/notify.sock", log);
        gone.Stopping();
        Assert.Contains("systemd could not be told STOPPING", Assert.Single(log.Lines));
    }
}
