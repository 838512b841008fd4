using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Timers;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>Ticks of which one node of a cluster makes the jobs.</summary>
public sealed class ClaimedTicksTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private readonly Right _right = new();

    [Fact]
    public void The_first_holder_claims_a_time_without_a_job_and_then_each_tick_once()
    {
        ClaimedTicks ticks = Ticks("* * * * *");
        Assert.Equal([], RunsAt(ticks, Noon.AddSeconds(5)));
        Assert.Equal(Ms(Noon.AddSeconds(5)), _right.ClaimedMs); // from here on the next holder knows what is to be made up
        Assert.Equal([], RunsAt(ticks, Noon.AddSeconds(59)));
        Assert.Equal([60], RunsAt(ticks, Noon.AddSeconds(60)));
        Assert.Equal([], RunsAt(ticks, Noon.AddSeconds(61)));
    }

    [Fact]
    public void A_holder_that_comes_late_makes_up_ticks_of_ten_seconds_one_by_one_and_no_older_ones()
    {
        _right.ClaimedMs = Ms(Noon);
        Assert.Equal([20, 21, 22, 23, 24, 25, 26, 27, 28, 29], RunsAt(Ticks("* * * * * *"), Noon.AddSeconds(29.5)));
        _right.ClaimedMs = Ms(Noon);
        Assert.Equal([], RunsAt(Ticks("30 * * * *"), Noon.AddMinutes(31)));
        Assert.Equal([1800], RunsAt(Ticks("30 * * * *"), Noon.AddMinutes(30).AddSeconds(9)));
    }

    [Fact]
    public void With_once_the_newest_of_older_ticks_is_claimed_once()
    {
        _right.ClaimedMs = Ms(Noon);
        Assert.Equal([240], RunsAt(Ticks("* * * * *", makesUp: true), Noon.AddSeconds(295)));
        Assert.Equal([], RunsAt(Ticks("* * * * *", makesUp: true), Noon.AddSeconds(296)));
    }

    [Fact]
    public void Ticks_of_a_pause_and_of_another_holder_are_not_made_up()
    {
        ClaimedTicks ticks = Ticks("* * * * * *");
        _right.ClaimedMs = Ms(Noon);
        Assert.False(ticks.TryClaim(Noon.AddSeconds(3.5), isPaused: true, (_, _) => Assert.Fail("no claim")));
        Assert.Equal([4, 5], RunsAt(ticks, Noon.AddSeconds(5)));
        _right.ClaimedMs = Ms(Noon.AddSeconds(9));
        Assert.Equal([10], RunsAt(ticks, Noon.AddSeconds(10)));
        _right.MayFire = false;
        Assert.False(ticks.TryClaim(Noon.AddSeconds(12), isPaused: false, (_, _) => Assert.Fail("no claim")));
    }

    [Fact]
    public void There_is_one_claim_at_a_time_and_a_refused_one_makes_no_job()
    {
        ClaimedTicks ticks = Ticks("* * * * * *");
        _right.ClaimedMs = Ms(Noon);
        _right.IsSilent = true;
        long term = -1;
        Assert.True(ticks.TryClaim(Noon.AddSeconds(1), isPaused: false, (given, _) => term = given));
        Assert.False(ticks.TryClaim(Noon.AddSeconds(2), isPaused: false, (_, _) => Assert.Fail("no second claim")));
        _right.Then!(0);
        Assert.Equal(0, term);
        _right.IsSilent = false;
        Assert.Equal([1, 2], RunsAt(ticks, Noon.AddSeconds(2)));
    }

    private static long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private ClaimedTicks Ticks(string schedule, bool makesUp = false) => new(_right, Schedules.Parse(schedule, 1, TimeZoneInfo.Utc), makesUp);

    /// <summary>The jobs that are made at a moment, in seconds after noon.</summary>
    private static List<long> RunsAt(ClaimedTicks ticks, DateTimeOffset now)
    {
        List<long> runs = [];
        while (ticks.TryClaim(now, isPaused: false, (term, time) => runs.AddRange(term > 0 ? [(time - Ms(Noon)) / 1000] : [])))
        {
            // the next one
        }

        return runs;
    }

    private sealed class Right : ISingleton
    {
        public bool MayFire { get; set; } = true;

        public long Term => 3;

        public string? Holder => "a";

        public long? ClaimedMs { get; set; }

        public bool IsSilent { get; set; }

        public Action<long>? Then { get; private set; }

        public long AfterMs(long nowMs) => Math.Max(ClaimedMs ?? nowMs, nowMs - TimerDriver.GraceMs);

        public void Claim(long timeMs, Action<long> then)
        {
            Then = then;
            if (!IsSilent)
            {
                Assert.True(ClaimedMs is null || timeMs > ClaimedMs);
                ClaimedMs = timeMs;
                then(Term);
            }
        }
    }
}
