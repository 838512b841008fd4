using Cocaine.Fast.Node.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests.Daemon;

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
