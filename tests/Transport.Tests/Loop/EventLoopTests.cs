using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>What lives on a loop can rely on.</summary>
public sealed class EventLoopTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly LogLines _log = new();
    private readonly EventLoop _loop;
    private readonly List<string> _ran = [];

    public EventLoopTests() => _loop = new EventLoop(_log);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void Work_is_done_in_order_on_the_loops_thread_also_what_was_posted_before_the_start()
    {
        _loop.Post(() => _ran.Add($"before {_loop.IsLoopThread}"));
        _loop.Start("test");
        _loop.Post(() => _ran.Add("first"));
        _loop.Post(() => _ran.Add("second"));
        Assert.Equal(["before True", "first", "second"], Ran());
        Assert.False(_loop.IsLoopThread);
    }

    [Fact]
    public void A_fault_ends_what_had_it_and_is_logged()
    {
        using EventDescriptor first = new(), second = new();
        _loop.Watch(new Handler(_ => throw new InvalidOperationException("of a handler")), first.Descriptor, Epoll.In | Epoll.EdgeTriggered);
        _loop.Watch(new Handler(_ => _ran.Add("the other handler")), second.Descriptor, Epoll.In | Epoll.EdgeTriggered);
        first.Ring();
        second.Ring();
        _loop.Post(() => throw new InvalidOperationException("of work"));
        _loop.Post(() => _ran.Add("the other work"));
        _loop.ScheduleSend(new AtTurnEnd(() => throw new InvalidOperationException("of a task")));
        _loop.ScheduleSend(new AtTurnEnd(() => _ran.Add("the other task")));
        _loop.Start("test");
        _loop.Post(() => { }); // a turn after it
        Assert.Equal(["the other handler", "the other work", "the other task"], Ran());
        Assert.All(new[] { "of a handler", "of work", "of a task" }, fault => Assert.Equal(1, _log.Count(fault)));
    }

    [Fact]
    public void A_handler_that_another_one_forgets_hears_nothing_more_in_this_turn()
    {
        using EventDescriptor first = new(), second = new();
        Handler[] handlers = new Handler[2];
        handlers[0] = new Handler(_ => Forget(1, second));
        handlers[1] = new Handler(_ => Forget(0, first));
        _loop.Watch(handlers[0], first.Descriptor, Epoll.In | Epoll.EdgeTriggered);
        _loop.Watch(handlers[1], second.Descriptor, Epoll.In | Epoll.EdgeTriggered);
        first.Ring();
        second.Ring();
        _loop.Start("test");
        Assert.Single(Ran());

        void Forget(int other, EventDescriptor bell)
        {
            _ran.Add($"forgets {other}");
            _loop.Forget(handlers[other], bell.Descriptor);
            _loop.Forget(handlers[other], bell.Descriptor);
        }
    }

    [Fact]
    public void Bells_are_rung_before_anything_is_sent_and_those_of_the_sends_in_the_same_turn()
    {
        long[] turns = new long[3];
        _loop.Post(() =>
        {
            _loop.ScheduleSend(new AtTurnEnd(() =>
            {
                _ran.Add("send");
                turns[1] = _loop.Counters.Turns;
                _loop.ScheduleBell(new AtTurnEnd(() =>
                {
                    _ran.Add("late bell");
                    turns[2] = _loop.Counters.Turns;
                }));
            }));
            _loop.ScheduleBell(new AtTurnEnd(() =>
            {
                _ran.Add("bell");
                turns[0] = _loop.Counters.Turns;
            }));
        });
        _loop.Start("test");
        Assert.Equal(["bell", "send", "late bell"], Ran());
        Assert.Single(turns.Distinct());
    }

    [Fact]
    public async Task Timers_are_due_in_order_and_wake_a_loop_that_sleeps()
    {
        TaskCompletionSource last = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Start("test");
        OnLoopThread.Run(_loop, () =>
        {
            long now = _loop.NowMs;
            _loop.Timers.Arm(new Due(last.SetResult), now + 60);
            _loop.Timers.Arm(new Due(() => _ran.Add("20")), now + 20);
            _loop.Patience.Arm(new Due(() => _ran.Add("patience")), _loop.ListenedMs + 40);
            Due never = new(() => _ran.Add("cancelled"));
            _loop.Timers.Arm(never, now + 10);
            _loop.Timers.Cancel(never);
        });
        await last.Task.WaitAsync(Limit);
        Assert.Contains("20", Ran());
        Assert.DoesNotContain("cancelled", _ran);
    }

    [Fact]
    public async Task A_source_is_polled_each_turn_until_it_parks_and_one_that_is_gone_no_more()
    {
        Source parks = new(polls: int.MaxValue, parksAfter: 3), goes = new(polls: 2, parksAfter: int.MaxValue);
        _loop.Post(() =>
        {
            _loop.Poll(parks);
            _loop.Poll(parks); // is one poll a turn
            _loop.Poll(goes);
        });
        _loop.Start("test");
        await parks.Parked.WaitAsync(Limit);
        Assert.Equal(3, OnLoopThread.Run(_loop, () => parks.Polls));
        Assert.Equal(2, OnLoopThread.Run(_loop, () => goes.Polls));
        OnLoopThread.Run(_loop, () =>
        {
            parks.ParksAfter = 4; // it has something again, and its bell rang
            _loop.Poll(parks);
        });
        Assert.Equal(4, OnLoopThread.Run(_loop, () => parks.Polls));
    }

    [Fact]
    public void A_loop_that_has_ended_does_nothing_that_is_posted_and_may_be_ended_again()
    {
        _loop.Start("test");
        _loop.Stop();
        Assert.True(_loop.Join(Limit));
        _loop.Post(() => _ran.Add("late"));
        _loop.Dispose();
        _loop.Dispose();
        _loop.Stop();
        Assert.Empty(_ran);
    }

    [Fact]
    public void A_loop_that_is_ended_by_its_own_work_ends_after_the_turn()
    {
        _loop.Post(() =>
        {
            _loop.Dispose(); // does not wait for itself
            _loop.ScheduleSend(new AtTurnEnd(() => _ran.Add("the end of the turn")));
        });
        _loop.Start("test");
        Assert.True(_loop.Join(Limit));
        Assert.Equal(["the end of the turn"], _ran);
    }

    /// <summary>What ran up to now and in the turn in which the loop is asked.</summary>
    private List<string> Ran()
    {
        OnLoopThread.Run(_loop, () => { });
        return OnLoopThread.Run(_loop, () => _ran);
    }

    private sealed class Handler(Action<uint> ready) : LoopHandler
    {
        public override void OnReady(uint events) => ready(events);
    }

    private sealed class AtTurnEnd(Action action) : TurnTask
    {
        public override void OnTurnEnd() => action();
    }

    private sealed class Due(Action action) : WheelTimer
    {
        public override void OnDue(long nowMs) => action();
    }

    private sealed class Source(int polls, int parksAfter) : PolledSource
    {
        private readonly TaskCompletionSource _parked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Parked => _parked.Task;

        public int Polls { get; private set; }

        public int ParksAfter { get; set; } = parksAfter;

        public override bool Poll() => ++Polls < polls;

        public override bool TryPark()
        {
            if (Polls < ParksAfter)
            {
                return false;
            }

            _parked.TrySetResult();
            return true;
        }
    }
}
