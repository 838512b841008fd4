using System.Diagnostics;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>A loop that did not run for a while hears its peers first, judges them then, and does not take the time for their silence.</summary>
public sealed class ListeningTests
{
    private const int StallMs = 300;

    [Fact]
    public async Task What_peers_said_during_a_stall_is_heard_before_a_timer_judges_them()
    {
        using EventLoop loop = new(NullLogger.Instance);
        using EventDescriptor bell = new();
        List<string> order = [];
        TaskCompletionSource done = new();
        loop.Post(() =>
        {
            loop.Watch(new Handler(() => order.Add("heard")), bell.Descriptor, Epoll.In | Epoll.EdgeTriggered);
            loop.Timers.Arm(new Timer(() => order.Add("judged")), loop.NowMs + (StallMs / 2));
            loop.Poll(new Ring(order));
            loop.Post(() =>
            {
                Thread.Sleep(StallMs); // the stall itself: a loop that does not run
                bell.Ring();
                loop.Post(() => order.Add("posted"));
            });
            loop.Timers.Arm(new Timer(done.SetResult), loop.NowMs + (2 * StallMs));
        });
        loop.Start("test");

        await done.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(["heard", "ring", "posted", "judged"], order);
        Assert.True(loop.Counters.Stalls >= 1);
    }

    [Fact]
    public async Task A_stall_is_no_silence()
    {
        using EventLoop loop = new(NullLogger.Instance);
        TaskCompletionSource<(long Clock, long Listened)> done = new();
        loop.Post(() =>
        {
            long clockMs = loop.NowMs, listenedMs = loop.ListenedMs;
            loop.Patience.Arm(new Timer(() => done.SetResult((loop.NowMs - clockMs, loop.ListenedMs - listenedMs))), listenedMs + StallMs);
            loop.Post(() => Thread.Sleep(StallMs)); // the stall itself
        });
        loop.Start("test");

        (long clock, long listened) = await done.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.True(clock >= 2 * StallMs, $"{clock} ms by the clock");
        Assert.InRange(listened, StallMs, clock - StallMs);
    }

    [Fact]
    public async Task A_loop_that_is_idle_listens()
    {
        using EventLoop loop = new(NullLogger.Instance);
        TaskCompletionSource<long> done = new();
        long begun = Stopwatch.GetTimestamp();
        loop.Post(() => loop.Patience.Arm(new Timer(() => done.SetResult(loop.Counters.StalledNs)), loop.ListenedMs + 500));
        loop.Start("test");

        long stalledNs = await done.Task.WaitAsync(TimeSpan.FromSeconds(30));

        // Whatever the machine did to the loop, the loop has counted: the rest of the time it listened.
        Assert.InRange((Stopwatch.GetElapsedTime(begun).TotalMilliseconds * 1e6) - stalledNs, 500e6, double.MaxValue);
    }

    private sealed class Handler(Action action) : LoopHandler
    {
        public override void OnReady(uint events) => action();
    }

    private sealed class Timer(Action action) : WheelTimer
    {
        public override void OnDue(long nowMs) => action();
    }

    /// <summary>A ring that has something for the loop once it has stalled.</summary>
    private sealed class Ring(List<string> order) : PolledSource
    {
        private int _polls;

        public override bool Poll()
        {
            if (++_polls == 2)
            {
                order.Add("ring");
            }

            return _polls < 2;
        }

        public override bool TryPark() => false;
    }
}
