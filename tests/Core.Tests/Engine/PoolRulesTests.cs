using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>What the design says of slaves and their pool, a test for each sentence.</summary>
public class PoolRulesTests
{
    private static readonly EngineSettings Four = new() { PoolLimit = 4, QueueLimit = 0, SuicideTimeoutMs = 10_000, HeartbeatTimeoutMs = 1_000_000 };

    [Fact]
    public void The_pool_grows_when_a_job_waits_up_to_the_pool_limit_several_at_once()
    {
        World world = World.Begun(Four);
        for (int i = 0; i < 3; i++)
        {
            world.Submit("job");
        }

        Assert.Equal(3, world.Engine.Pool.Roster.Total); // one that runs, and one for each of the two that wait
        for (int i = 0; i < 10; i++)
        {
            world.Submit("job");
        }

        Assert.Equal(4, world.Engine.Pool.Roster.Total);
        Assert.Contains(world.Log, line => line.Contains("pool grows by 1:") && line.Contains("(waiting 1, idle 0, starting 0)"));
        Assert.Contains(world.Log, line => line.Contains("pool holds at its engine.pool-limit of 4 (waiting 4, idle 0, starting 3)"));
        world.Finish();
    }

    [Fact]
    public void The_pool_launches_what_its_backend_has_room_for_and_asks_again_by_itself()
    {
        World world = World.Begun(Four with { PoolLimit = 3 });
        world.Room = 1;
        for (int i = 0; i < 3; i++)
        {
            world.Submit("job");
        }

        world.Ready(0);
        Assert.Equal(2, world.Engine.Pool.Roster.Total);
        Assert.Contains(world.Log, line => line.Contains("pool holds, the node has room for") && line.Contains("no descriptors are left"));
        world.Advance(60_000); // nothing else happens: no job comes, none ends
        Assert.InRange(world.Log.Count(line => line.Contains("the node has room for")), 1, 3);
        world.Room = 5;
        world.Advance(1000);
        Assert.Equal(3, world.Engine.Pool.Roster.Total);
        world.Finish();
    }

    [Fact]
    public void A_worn_slave_works_on_until_there_is_room_for_its_replacement()
    {
        World world = World.Begun(Four with { MaxJobs = 1 });
        world.Room = 0;
        world.Submit("job");
        world.Close(0);
        world.Advance(5000);
        Assert.Single(world.Links);
        world.Room = 1;
        world.Advance(1000);
        Assert.Equal(2, world.Engine.Pool.Roster.Total);
        world.Finish();
    }

    [Fact]
    public void The_pool_does_not_grow_while_as_many_slaves_are_idle_or_starting_as_jobs_wait()
    {
        World world = new(Four);
        world.Submit("waits for the first slave");
        Assert.Equal(1, world.Engine.Pool.Roster.Total);
    }

    [Fact]
    public void The_pool_shrinks_by_the_suicide_timeout_one_at_a_time_never_below_the_minimum()
    {
        World world = new(Four with { PoolMinimum = 2 });
        for (int i = 0; i < 4; i++)
        {
            world.Submit("job");
        }

        for (int i = 0; i < 4; i++)
        {
            world.Ready(0);
        }

        while (world.Busy)
        {
            world.Close(0);
        }

        world.Advance(9_999);
        Assert.Equal(4, world.Engine.Pool.Roster.Idle);
        world.Advance(1);
        Assert.Equal(3, world.Engine.Pool.Roster.Idle);
        world.EndTerminated();
        world.Advance(1000);
        world.EndTerminated();
        world.Advance(100_000);
        world.EndTerminated();
        Assert.Equal(2, world.Engine.Pool.Roster.Total);
        Assert.Contains(world.Log, line => line.Contains("pool shrinks: slave") && line.EndsWith("idle for 10000 ms (total 4, minimum 2)"));
        Assert.Equal(0UL, world.Engine.Counters.SlavesDied);
        world.Finish();
    }

    [Fact]
    public void The_minimum_is_kept_at_the_start_and_after_deaths_of_idle_busy_and_starting_slaves()
    {
        World world = new(Four with { PoolMinimum = 3 });
        Assert.Equal(3, world.Engine.Pool.Roster.Starting);
        for (int i = 0; i < 3; i++)
        {
            world.Ready(0);
        }

        world.Advance(1000); // they have shown that they can live
        world.Submit("job");
        world.Die(world.Links.Single(link => link.Channels.Count > 0)); // busy: its job goes to another one
        Assert.Equal((3, 1), (world.Engine.Pool.Roster.Total, world.Engine.Pool.Roster.Starting));
        world.Die(world.Links.First(link => link.Channels.Count == 0)); // idle
        Assert.Equal((3, 2), (world.Engine.Pool.Roster.Total, world.Engine.Pool.Roster.Starting));
        world.Ready(0);
        world.Die(world.Links[^1]); // starting: it is tried again after a pause, whatever else lives
        Assert.Equal(2, world.Engine.Pool.Roster.Total);
        world.Advance(100);
        Assert.Equal(3, world.Engine.Pool.Roster.Total);
        world.Finish();
    }

    [Fact]
    public void Each_start_has_a_line_that_says_why()
    {
        World world = new(Four);
        for (int i = 0; i < 5; i++)
        {
            world.Die(0);
            world.Advance(30_000);
        }

        Assert.Equal(world.Engine.Counters.SlavesStarted, (ulong)world.Log.Count(line => line.Contains("pool grows by 1: ")));
    }

    [Fact]
    public void A_start_that_failed_is_tried_again_within_the_bounds_that_were_set_meanwhile()
    {
        World world = World.Begun(Four);
        world.Submit("runs");
        world.Submit("waits");
        world.Die(world.Links[1], "exit code 1");
        world.Engine.Pool.SetBounds(0, 1);
        world.Advance(60_000);
        Assert.Equal(1, world.Engine.Pool.Roster.Total);
        world.Close(0);
        world.Close(0);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_has_just_become_ready_has_not_been_idle_before()
    {
        World world = World.Begun(Four);
        world.Advance(9_000);
        world.Submit("job");
        world.Submit("another");
        world.Close(0);
        world.Ready(0);
        while (world.Busy)
        {
            world.Close(0);
        }

        world.Advance(1_000); // the first timer is due; nobody was idle for as long
        Assert.Equal(2, world.Engine.Pool.Roster.Idle);
    }

    [Fact]
    public void A_slave_that_fails_to_start_is_started_again_after_pauses_that_double_up_to_30_s_and_its_app_goes_on_trying()
    {
        World world = new(Four);
        List<long> pauses = [];
        for (int i = 0; i < 12; i++)
        {
            world.Die(0);
            Assert.Empty(world.Links);
            long from = world.NowMs;
            while (world.Links.Count == 0)
            {
                world.Advance(100);
            }

            pauses.Add(world.NowMs - from);
            Assert.Equal(i >= 2, world.Engine.Pool.IsBroken);
        }

        Assert.Equal([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000], pauses);
        Assert.Equal(12UL, world.Engine.Counters.SlaveStartFailures);
        world.Ready(0);
        Assert.False(world.Engine.Pool.IsBroken);
        world.Advance(1000);
        Assert.Contains(world.Log, line => line.EndsWith("no longer broken, a slave is up and stays"));
    }

    [Fact]
    public void A_slave_that_is_not_ready_within_the_startup_timeout_is_killed_and_the_jobs_of_a_broken_app_get_500_with_that_cause()
    {
        World world = new(Four with { StartupTimeoutMs = 2000 });
        world.Submit("waits");
        for (int i = 0; i < 3; i++)
        {
            FakeLink slave = world.Links.Single();
            while (!slave.KillAsked)
            {
                world.Advance(1000, endKilled: false);
            }

            Assert.Equal("not ready within the startup-timeout of 2000 ms", slave.KillReason);
            world.Die(slave, slave.KillReason! + "; signal 9");
            world.Advance(500, endKilled: false);
        }

        Assert.Equal(3UL, world.Engine.Counters.StartupTimeouts);
        Assert.Equal(
            new JobEnd("waits", 500, "the app cannot be started (not ready within the startup-timeout of 2000 ms): its log says why", 0),
            world.Ends.Single());
        world.Submit("refused");
        Assert.Equal(500, world.Refusal.Code);
    }

    [Fact]
    public void A_slave_that_does_not_end_within_the_termination_timeout_is_killed()
    {
        World world = World.Begun(Four with { TerminationTimeoutMs = 1500 });
        FakeLink slave = world.Links[0];
        world.Engine.Drain(() => { });
        Assert.True(slave.IsTerminated);
        world.Advance(1499);
        Assert.False(slave.KillAsked);
        world.Advance(1);
        Assert.Equal("did not end within the termination-timeout of 1500 ms", slave.KillReason);
    }

    [Fact]
    public void A_slave_that_asks_to_end_finishes_what_it_has_gets_nothing_more_and_is_killed_when_it_stays()
    {
        World world = World.Begun(Four with { PoolLimit = 1, TerminationTimeoutMs = 1500 });
        FakeLink slave = world.Links[0];
        world.Submit("runs");
        slave.Say(sink => MessageWriter.WriteTerminate(sink, 1, "enough"));
        Assert.True(slave.IsTerminated); // it is told so in turn
        world.Submit("waits");
        world.Close(0);
        Assert.Equal([0], world.Outcomes);
        Assert.Equal((1, 0), (world.Engine.Queue.Count, slave.Slave.Load));
        world.Advance(1500);
        Assert.StartsWith("did not end", slave.KillReason);
        Assert.Equal(0UL, world.Engine.Counters.SlavesDied);
        world.Finish();
        Assert.Equal([0, 0], world.Outcomes);
    }

    [Fact]
    public void A_slave_that_is_starting_when_its_app_ends_is_killed_at_once()
    {
        World world = new(Four);
        world.Engine.Drain(() => { });
        Assert.Equal("the app stops", Assert.Single(world.Links).KillReason);
    }

    [Fact]
    public void A_drain_finishes_what_runs_and_what_is_queued_and_then_ends_the_slaves()
    {
        World world = World.Begun(Four with { PoolLimit = 1 });
        world.Submit("runs");
        world.Submit("waits");
        bool stopped = false;
        world.Engine.Drain(() => stopped = true);
        world.Close(0);
        Assert.False(world.Links[0].IsTerminated);
        world.Close(0);
        Assert.True(world.Links[0].IsTerminated);
        world.EndTerminated();
        Assert.True(stopped);
        Assert.Equal([0, 0], world.Outcomes);
    }
}
