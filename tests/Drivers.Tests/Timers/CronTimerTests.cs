using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>The cron driver on a virtual clock; it starts on Friday, 1 January 2027, 00:00 UTC.</summary>
public class CronTimerTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Jobs_start_in_the_second_of_their_match()
    {
        VirtualApp app = Open("15 30 6 * * MON-FRI", ("time-zone", "America/New_York"));
        app.Pass(TimeSpan.FromDays(7));
        Assert.Equal(
            [At(1, 11, 30, 15), At(4, 11, 30, 15), At(5, 11, 30, 15), At(6, 11, 30, 15), At(7, 11, 30, 15)], app.Times);
        Assert.Equal("2027-01-08T11:30:15.000Z", app.Fact("next-tick"));
    }

    [Theory]
    [InlineData("skip", "0 4 8", 6, 0)]
    [InlineData("queue", "0 3.5 7", 0, 6)]
    [InlineData("allow", "0 1 2 3 4 5 6 7 8", 0, 0)]
    public void What_a_match_does_while_the_last_job_runs(string overlap, string beginMinutes, long skipped, int waiting)
    {
        VirtualApp app = new() { RunMs = () => 210_000 }; // three and a half minutes
        app.Open("cron", null, ("schedule", "* * * * *"), ("overlap", overlap));
        app.Pass(9 * Minute + TimeSpan.FromSeconds(30));
        Assert.Equal(beginMinutes.Split(' ').Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture) + 1),
            app.Times.Select(time => (time - VirtualApp.Start).TotalMinutes));
        Assert.Equal((9L, skipped, waiting), (app.Fact("ticks"), app.Fact("skipped"), app.Fact("waiting")));
        Assert.True(overlap == "allow" || app.MostAtOnce == 1);
    }

    [Fact]
    public void Waiting_matches_are_bounded_by_the_queue_limit()
    {
        VirtualApp app = new() { RunMs = () => 3_600_000 };
        app.Open("cron", new EngineSettings { QueueLimit = 3 }, ("schedule", "* * * * *"), ("overlap", "queue"));
        app.Pass(TimeSpan.FromMinutes(30.5));
        Assert.Equal((30L, 26L, 3), (app.Fact("ticks"), app.Fact("skipped"), app.Fact("waiting")));
    }

    [Theory]
    [InlineData("skip", 0)]
    [InlineData("once", 1)]
    public void Matches_that_passed_during_a_suspension(string missed, int jobs)
    {
        VirtualApp app = Open("*/10 * * * *", ("missed", missed));
        app.Pass(5 * Minute);
        app.HoldUp(60 * Minute); // six matches, the last one five minutes ago
        app.Pass(Minute);
        Assert.Equal(jobs, app.Runs.Count);
        Assert.Equal(6L, app.Fact("missed"));
        app.Pass(5 * Minute);
        Assert.Equal(At(1, 1, 10, 0), app.Times[^1]);
        Assert.Equal(jobs + 1, app.Runs.Count);
    }

    [Fact]
    public void A_match_that_a_busy_machine_is_some_seconds_late_for_is_run()
    {
        VirtualApp app = Open("*/10 * * * *");
        app.Pass(9 * Minute + TimeSpan.FromSeconds(55));
        app.HoldUp(TimeSpan.FromSeconds(9));
        Assert.Equal([At(1, 0, 10, 4)], app.Times);
        Assert.Equal(0L, app.Fact("missed"));
    }

    [Fact]
    public void A_clock_that_is_put_forward_is_noticed_within_a_second()
    {
        VirtualApp app = Open("0 12 * * *");
        app.Pass(10 * Minute);
        app.SetClock(TimeSpan.FromHours(11) + TimeSpan.FromMinutes(49));
        app.Pass(5 * Minute);
        Assert.Equal([At(1, 12, 0, 0)], app.Times);
    }

    [Fact]
    public void A_clock_that_is_put_back_repeats_no_match()
    {
        VirtualApp app = Open("*/10 * * * *");
        app.Pass(TimeSpan.FromMinutes(25));
        app.SetClock(TimeSpan.FromMinutes(-18)); // 00:07 again
        app.Pass(TimeSpan.FromMinutes(24));
        Assert.Equal([At(1, 0, 10, 0), At(1, 0, 20, 0), At(1, 0, 30, 0)], app.Times);
    }

    [Fact]
    public void A_clock_that_was_wrong_by_years_and_is_put_right_goes_on_at_once()
    {
        VirtualApp app = Open("*/10 * * * *");
        app.SetClock(TimeSpan.FromDays(1000) + Minute);
        app.Pass(TimeSpan.FromMinutes(15));
        app.SetClock(TimeSpan.FromDays(-1000) - Minute);
        app.Pass(TimeSpan.FromMinutes(16));
        Assert.Equal([At(1, 0, 10, 0).AddDays(1000), At(1, 0, 20, 0), At(1, 0, 30, 0)], app.Times);
    }

    private static VirtualApp Open(string schedule, params (string Key, object Value)[] keys) =>
        new VirtualApp().Open("cron", null, [("schedule", schedule), .. keys]);

    private static DateTimeOffset At(int day, int hour, int minute, int second) => new(2027, 1, day, hour, minute, second, TimeSpan.Zero);
}
