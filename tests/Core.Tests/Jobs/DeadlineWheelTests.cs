using Cocaine.Fast.Core.Timing;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Jobs;

public class DeadlineWheelTests
{
    [Fact]
    public void Every_timer_fires_once_and_not_early_whatever_is_armed_cancelled_and_jumped() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 30], Gen.Long[0, 1 << 22]).Array[1, 300].Sample(steps =>
        {
            long now = 1_000;
            DeadlineWheel wheel = new(now);
            Probe[] probes = [.. Enumerable.Range(0, 31).Select(_ => new Probe())];
            foreach ((int what, int which, long time) in steps)
            {
                Probe probe = probes[which];
                switch (what)
                {
                    case 0 or 1:
                        long due = now + (what == 0 ? time % 100 : time);
                        wheel.Arm(probe, due);
                        probe.Expected = due;
                        break;
                    case 2:
                        wheel.Cancel(probe);
                        probe.Expected = null;
                        break;
                    default:
                        now += time % 5 == 0 ? time : time % 200;
                        Assert.True(wheel.NextDueMs(now) <= Math.Max(now, probes.Min(each => each.Expected) ?? long.MaxValue));
                        wheel.Advance(now);
                        foreach (Probe each in probes)
                        {
                            Assert.True(each.Fired == (each.Expected <= now ? 1 : 0), $"due {each.Expected} at {now}: fired {each.Fired}");
                            each.Expected = each.Expected <= now ? null : each.Expected;
                            each.Fired = 0;
                        }

                        break;
                }

                Assert.Equal(probes.Count(each => each.Expected is not null), wheel.Count);
            }
        }, iter: 2000);

    [Fact]
    public void A_far_timer_costs_few_wakes_and_fires_on_time()
    {
        DeadlineWheel wheel = new(12_345);
        Probe probe = new();
        const long Due = 12_345 + 3_600_000;
        wheel.Arm(probe, Due);
        int wakes = 0;
        long now = 12_345;
        while (probe.Fired == 0)
        {
            now = wheel.NextDueMs(now);
            wheel.Advance(now);
            wakes++;
        }

        Assert.Equal(Due, now);
        Assert.InRange(wakes, 1, 10);
    }

    [Fact]
    public void A_timer_may_arm_itself_and_cancel_others_when_it_fires()
    {
        DeadlineWheel wheel = new(0);
        Probe other = new();
        Probe first = new();
        first.Then = now =>
        {
            wheel.Cancel(other);
            wheel.Arm(first, now); // for now: waits a tick, so that the advance ends
        };
        wheel.Arm(other, 10);
        wheel.Arm(first, 10);
        wheel.Advance(10);
        Assert.Equal((1, 0), (first.Fired, other.Fired));
        Assert.True(first.IsArmed);
    }

    [Fact]
    public void Arming_and_firing_allocates_nothing()
    {
        DeadlineWheel wheel = new(0);
        Probe probe = new();
        long now = 0;
        void Round(int count)
        {
            for (int i = 0; i < count; i++)
            {
                wheel.Arm(probe, now + (i % 5000));
                wheel.Advance(now += 3);
            }
        }

        Round(1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Round(100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private sealed class Probe : WheelTimer
    {
        public long? Expected { get; set; }

        public int Fired { get; set; }

        public Action<long>? Then { get; set; }

        public override void OnDue(long nowMs)
        {
            Fired++;
            Assert.True(nowMs >= DueMs);
            Then?.Invoke(nowMs);
        }
    }
}
