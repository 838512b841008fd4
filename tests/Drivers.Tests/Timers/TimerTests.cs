using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>recurring-timer and drifting-timer on a virtual clock.</summary>
public class TimerTests
{
    [Fact]
    public void A_day_of_ticks_has_no_drift_none_lost_and_none_doubled()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 250L));
        Random random = new(1);
        app.RunMs = () => random.Next(400); // longer than the interval: jobs overlap
        app.Pass(TimeSpan.FromDays(1));
        Assert.Equal(Enumerable.Range(1, 86_400 * 4).Select(n => n * 250L), app.Runs);
        Assert.True(app.MostAtOnce > 1);
        Assert.Equal((86_400 * 4L, 0L, 0L), (app.Fact("ticks"), app.Fact("dropped"), app.Fact("skipped")));
    }

    [Fact]
    public void Jitter_delays_each_tick_by_less_than_its_bound_and_loses_none()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 100L), ("jitter", 100L));
        app.Pass(TimeSpan.FromSeconds(1000.2));
        Assert.InRange(app.Runs.Count, 10_000, 10_002);
        Assert.All(app.Runs.Select((at, index) => at - ((index + 1) * 100L)), late => Assert.InRange(late, 0, 100));
        Assert.True(app.Runs.Select((at, index) => at - (index * 100L)).Distinct().Count() > 50);
    }

    [Fact]
    public void The_greatest_interval_and_jitter_are_taken()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", (long)int.MaxValue), ("jitter", (long)int.MaxValue));
        app.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(app.Runs);
    }

    [Fact]
    public void Ticks_of_a_short_hold_up_are_made_up_for()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 10L));
        app.Pass(TimeSpan.FromMilliseconds(100));
        app.HoldUp(TimeSpan.FromSeconds(9));
        app.Pass(TimeSpan.FromMilliseconds(100));
        Assert.Equal(920, app.Runs.Count);
        Assert.Equal([9100L, 9110L, 9120L], app.Runs[909..912]);
    }

    [Fact]
    public void After_a_suspension_the_last_seconds_are_made_up_for_and_the_rest_is_counted()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 1000L));
        app.Pass(TimeSpan.FromSeconds(5));
        app.HoldUp(TimeSpan.FromHours(1));
        Assert.Equal(5 + 11, app.Runs.Count); // those at most 10 s late, the present one included
        Assert.Equal(3589L, app.Fact("skipped"));
        app.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal((3605 + 1) * 1000, app.Runs[^1]);
    }

    [Fact]
    public void A_slow_timer_is_not_silent_for_another_interval_after_a_suspension()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 3_600_000L));
        app.HoldUp(TimeSpan.FromHours(3.5));
        Assert.Single(app.Runs);
        app.Pass(TimeSpan.FromHours(1));
        Assert.Equal([(long)TimeSpan.FromHours(3.5).TotalMilliseconds, 4 * 3_600_000L], app.Runs);
        Assert.Equal(2L, app.Fact("skipped"));
    }

    [Fact]
    public void A_tick_that_finds_the_queue_full_is_dropped_counted_and_published()
    {
        EngineSettings settings = new() { PoolLimit = 1, Concurrency = 1, QueueLimit = 2 };
        VirtualApp app = new() { RunMs = () => 100_000 };
        app.Open("recurring-timer", settings, ("interval", 1000L));
        app.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal((10L, 7L, 3), (app.Fact("ticks"), app.Fact("dropped"), app.Fact("running")));
        Assert.Equal(Enumerable.Repeat("tick: error 1000 503 the queue is full: 2 jobs wait", 7), app.Results);
    }

    [Fact]
    public void The_clock_on_the_wall_is_no_business_of_a_timers()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 1000L));
        app.SetClock(TimeSpan.FromDays(-3));
        app.Pass(TimeSpan.FromSeconds(3));
        app.SetClock(TimeSpan.FromDays(7));
        app.Pass(TimeSpan.FromSeconds(3));
        Assert.Equal([1000L, 2000, 3000, 4000, 5000, 6000], app.Runs);
        Assert.Equal("2027-01-05T00:00:07.000Z", app.Fact("next-tick"));
    }

    [Fact]
    public void Nothing_comes_after_the_stop()
    {
        VirtualApp app = new VirtualApp().Open("recurring-timer", null, ("interval", 1000L));
        app.Pass(TimeSpan.FromSeconds(2));
        app.StopTaking();
        app.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(2, app.Runs.Count);
        Assert.Equal("none", app.Fact("next-tick"));
    }

    [Fact]
    public void A_drifting_timer_ticks_an_interval_after_the_last_job_has_ended()
    {
        VirtualApp app = new VirtualApp();
        Random random = new(2);
        List<long> ends = [];
        app.RunMs = () =>
        {
            long takes = random.Next(5000);
            ends.Add(app.NowMs + takes);
            return takes;
        };
        app.Answer = number => number % 5 == 4 ? null : []; // a failed job is an ended one
        app.Open("drifting-timer", null, ("interval", 700L));
        app.Pass(TimeSpan.FromHours(1));
        Assert.Equal([700L, .. ends.Select(end => end + 700)], [.. app.Runs, ends[^1] + 700]);
        Assert.Equal(1, app.MostAtOnce);
    }

    [Fact]
    public void A_drifting_timer_whose_job_was_not_taken_tries_again()
    {
        VirtualApp app = new VirtualApp().Open("drifting-timer", null, ("interval", 1000L));
        app.Engine.Drain(() => { });
        app.Pass(TimeSpan.FromSeconds(3));
        Assert.Equal((3L, 3L), (app.Fact("ticks"), app.Fact("dropped")));
    }
}
