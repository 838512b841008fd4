using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Worn slaves are replaced without a job noticing.</summary>
public class RecyclingTests
{
    private static readonly EngineSettings One = new()
    {
        PoolLimit = 1,
        QueueLimit = 0,
        HeartbeatTimeoutMs = 1_000_000,
        SuicideTimeoutMs = 10_000_000,
    };

    [Fact]
    public void After_its_max_jobs_a_slave_is_replaced_by_one_that_is_ready_before_it_is_told_to_end()
    {
        World world = World.Begun(One with { MaxJobs = 10 });
        FakeLink old = world.Links[0];
        long worn = old.Slave.Wear.Limits.Jobs;
        Assert.InRange(worn, 9, 11);
        for (int i = 0; i < worn; i++)
        {
            Assert.Single(world.Links);
            world.Submit("job");
            world.Close(0);
        }

        Assert.Equal(2, world.Engine.Pool.Roster.Total); // one more than the limit, for this moment
        Assert.Contains(world.Log, line => line.Contains(
            $"slave {old.Slave.ShortId} is worn by its Jobs and is recycled: its replacement is launched (jobs {worn}, age 0 ms, rss 0 bytes, total 1, limit 1)"));
        world.Submit("meanwhile"); // the old one works on
        Assert.Single(old.Channels);
        world.Close(0);
        Assert.False(old.IsTerminated);
        world.Ready(0);
        Assert.True(old.IsTerminated);
        world.Submit("afterwards");
        Assert.Single(world.Links[1].Channels);
        world.EndTerminated();
        Assert.Single(world.Links);
        Assert.Equal((1UL, 0UL), (world.Engine.Counters.RecycledForJobs, world.Engine.Counters.SlavesDied));
        world.Finish();
    }

    [Fact]
    public void A_job_that_runs_is_not_cut_short_and_the_old_slave_gets_no_other()
    {
        World world = World.Begun(One with { MaxAgeMs = 60_000, Concurrency = 2 });
        FakeLink old = world.Links[0];
        world.Submit("long");
        world.Submit("longer");
        world.Advance(old.Slave.Wear.Limits.AgeDueMs);
        FakeLink replacement = world.Links[1];
        replacement.Slave.OnReady();
        Assert.False(old.IsTerminated);
        world.Submit("new");
        Assert.Equal((2, 1), (old.Channels.Count, replacement.Channels.Count));
        world.CloseOne(old);
        world.Submit("another"); // there would be room
        Assert.Equal((1, 2), (old.Channels.Count, replacement.Channels.Count));
        Assert.False(old.IsTerminated);
        world.CloseOne(old);
        Assert.True(old.IsTerminated);
        world.EndTerminated();
        Assert.Equal(1UL, world.Engine.Counters.RecycledForAge);
        Assert.Equal([0, 0], world.Outcomes);
        world.Finish();
    }

    [Fact]
    public void Slaves_are_recycled_one_at_a_time_and_not_all_at_one_age()
    {
        World world = new(One with { PoolLimit = 4, PoolMinimum = 4, MaxAgeMs = 100_000 });
        while (world.Engine.Pool.Roster.Starting > 0)
        {
            world.Ready(0);
        }

        long[] ages = [.. world.Links.Select(link => link.Slave.Wear.Limits.AgeDueMs).Order()];
        Assert.Equal(4, ages.Distinct().Count());
        Assert.True(ages[0] >= 90_000 && ages[^1] <= 110_000, string.Join(' ', ages));
        HashSet<Slave> first = [.. world.Links.Select(link => link.Slave)];
        world.Advance(110_000); // all are worn, at last
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(5, world.Engine.Pool.Roster.Total);
            Assert.Equal(1, world.Engine.Pool.Roster.Starting);
            world.Ready(0);
            Assert.Single(world.Links, link => link.IsTerminated);
            Assert.Equal(i < 3 ? 1 : 0, world.Engine.Pool.Roster.Starting); // the next one's turn has come
            world.EndTerminated();
        }

        Assert.Equal(4, world.Engine.Pool.Roster.Total);
        Assert.DoesNotContain(world.Links, link => first.Contains(link.Slave));
        Assert.Equal(4UL, world.Engine.Counters.RecycledForAge);
    }

    [Fact]
    public void A_slave_over_max_rss_is_replaced_its_memory_is_looked_at_with_heartbeats_at_most_once_a_second()
    {
        World world = World.Begun(One with { MaxRssBytes = 1_000_000 });
        FakeLink slave = world.Links[0];
        slave.RssBytes = 800_000;
        world.Advance(1000);
        slave.Heartbeat();
        Assert.Equal(800_000, slave.Slave.Wear.RssBytes);
        slave.RssBytes = 1_100_001;
        world.Advance(999);
        slave.Heartbeat();
        Assert.Single(world.Links);
        world.Advance(1);
        slave.Heartbeat();
        Assert.Equal((2, WearReason.Memory), (world.Links.Count, slave.Slave.Wear.Reason));
        world.Ready(0);
        Assert.Equal(1UL, world.Engine.Counters.RecycledForMemory);
    }

    [Fact]
    public void A_replacement_that_does_not_come_up_leaves_the_old_slave_at_work_and_breaks_nothing()
    {
        World world = World.Begun(One with { MaxJobs = 1 });
        FakeLink old = world.Links[0];
        world.Submit("job");
        world.Close(0);
        List<long> pauses = [];
        for (int i = 0; i < 5; i++)
        {
            world.Die(world.Links[1], "no such module");
            Assert.Single(world.Links);
            Assert.False(world.Engine.Pool.IsBroken);
            long from = world.NowMs;
            while (world.Links.Count == 1)
            {
                world.Advance(50);
            }

            pauses.Add(world.NowMs - from);
        }

        Assert.Equal([100, 200, 400, 800, 1600], pauses);
        Assert.Contains(world.Log, line => line.Contains("works on, its replacement") && line.EndsWith("no such module"));
        world.Submit("still served");
        Assert.Single(old.Channels);
        world.Close(0);
        world.Ready(0);
        Assert.True(old.IsTerminated);
        Assert.Equal((5UL, 5UL, 1UL), (world.Engine.Counters.RecyclingsFailed, world.Engine.Counters.SlaveStartFailures, world.Engine.Counters.RecycledForJobs));
        world.EndTerminated();
        world.Finish();
    }

    [Fact]
    public void A_worn_slave_that_dies_meanwhile_has_its_replacement_already()
    {
        World world = World.Begun(One with { MaxJobs = 1 });
        world.Submit("job");
        world.Close(0);
        world.Die(0);
        Assert.Equal(1, world.Engine.Pool.Roster.Total);
        world.Ready(0);
        Assert.Equal(RecycleStage.Resting, world.Engine.Pool.Recycler.Stage);
        world.Submit("next");
        Assert.Single(world.Links[0].Channels);
        world.Finish();
    }

    [Fact]
    public void An_app_that_nobody_calls_still_loses_its_last_slave_though_it_is_recycled_more_often()
    {
        World world = World.Begun(One with { MaxAgeMs = 10_000, SuicideTimeoutMs = 60_000 });
        world.Submit("the last job");
        world.Close(0);
        for (int i = 0; i < 75; i++)
        {
            world.Advance(1000);
            world.Ready(0);
            world.EndTerminated();
        }

        Assert.Equal(0, world.Engine.Pool.Roster.Total);
        Assert.True(world.Engine.Counters.RecycledForAge >= 4);
    }

    [Fact]
    public void A_long_job_on_a_worn_slave_keeps_no_other_from_its_turn()
    {
        World world = new(One with { PoolLimit = 3, PoolMinimum = 3, Concurrency = 4, MaxJobs = 20 });
        while (world.Engine.Pool.Roster.Starting > 0)
        {
            world.Ready(0);
        }

        Job[] all = [.. Enumerable.Range(0, 3).Select(_ => world.Ask("long")!)];
        Assert.Equal(3, all.Select(job => job.Slave).Distinct().Count());
        for (int i = 0; i < 400; i++)
        {
            world.Close(world.Ask("short")!);
            world.Ready(0);
            world.EndTerminated();
            Assert.All(world.Links, link => Assert.InRange(link.Slave.JobsDone, 0, 23));
        }

        Assert.True(world.Engine.Counters.RecycledForJobs >= 12, $"{world.Engine.Counters.RecycledForJobs} were recycled");
        Assert.InRange(world.Engine.Pool.Roster.Leaving, 1, 3); // with a long job that nobody has cut short
        world.Finish();
        Assert.All(world.Outcomes, code => Assert.Equal(0, code));
    }

    [Fact]
    public void When_as_many_leave_as_may_a_worn_slave_ends_before_another_is_launched()
    {
        World world = World.Begun(One with { MaxJobs = 1, Concurrency = 2 });
        world.Submit("long");
        world.Close(world.Ask("short")!);
        world.Ready(0);
        Assert.Equal((1, 2), (world.Engine.Pool.Roster.Leaving, world.Engine.Pool.Roster.Total));
        FakeLink second = world.Links[1];
        world.Submit("long");
        world.Close(world.Ask("short")!);
        Assert.Equal(2, world.Engine.Pool.Roster.Total); // it goes on: its job would be one more that keeps a slave
        world.CloseOne(second);
        Assert.True(second.IsTerminated);
        Assert.Equal(0, world.Engine.Pool.Roster.Starting);
        world.Submit("waits");
        world.EndTerminated();
        Assert.Equal((2, 1), (world.Engine.Pool.Roster.Total, world.Engine.Pool.Roster.Starting));
        world.Finish();
        Assert.All(world.Outcomes, code => Assert.Equal(0, code));
    }

    [Fact]
    public void When_a_replacement_dies_once_it_was_ready_no_other_good_slave_gives_its_place_to_one_at_once()
    {
        World world = new(One with { PoolLimit = 4, PoolMinimum = 4, MaxAgeMs = 100_000 });
        while (world.Engine.Pool.Roster.Starting > 0)
        {
            world.Ready(0);
        }

        world.Advance(110_000);
        for (int i = 0; i < 6; i++)
        {
            int working = world.Engine.Pool.Roster.Working;
            world.Ready(0);
            world.EndTerminated();
            world.Die(world.Links[^1], "exit code 3");
            world.Advance(50);
            Assert.InRange(working - world.Engine.Pool.Roster.Working, 0, 1);
            world.Advance(StartPauses.AfterMs(i + 1));
        }

        Assert.True(world.Engine.Pool.Roster.Working >= 1);
        Assert.False(world.Engine.Pool.IsBroken);
    }

    [Fact]
    public void A_draining_app_recycles_nothing()
    {
        World world = World.Begun(One with { MaxAgeMs = 1000 });
        world.Submit("runs");
        world.Engine.Drain(() => { });
        world.Advance(2000);
        Assert.Single(world.Links);
        world.Finish();
    }
}
