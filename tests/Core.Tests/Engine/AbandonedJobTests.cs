using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>A slave that works on, beats, and never ends a job that was cancelled: its place is not lost to the app.</summary>
public class AbandonedJobTests
{
    private const int Patience = 10_000;

    private static readonly EngineSettings One = new()
    {
        PoolLimit = 1,
        QueueLimit = 0,
        HeartbeatTimeoutMs = Patience,
        TerminationTimeoutMs = 2000,
        SuicideTimeoutMs = 10_000_000,
    };

    [Fact]
    public void A_slave_that_does_not_end_a_cancelled_job_is_replaced_after_its_heartbeat_timeout()
    {
        World world = World.Begun(One);
        FakeLink deaf = world.Links[0];
        world.Cancel(world.Ask("deaf")!);
        world.Ask("next");
        Live(world, Patience - 1);
        Assert.Single(world.Links);
        Live(world, 1);
        Assert.Contains(world.Log, line => line.Contains(
            $"job 1 (event deaf) was answered {Patience} ms ago and slave {deaf.Slave.ShortId} has not ended it since: the job is abandoned"));
        Assert.Contains(world.Log, line => line.Contains($"slave {deaf.Slave.ShortId} is worn by its AbandonedJobs and is recycled"));
        Assert.False(deaf.IsTerminated); // its replacement is not ready yet
        world.Links[1].Slave.OnReady();
        Assert.True(deaf.IsTerminated);
        world.CloseOne(world.Links[1]);
        Assert.Equal([0], world.Outcomes);
        Live(world, 1999);
        Assert.False(deaf.KillAsked);
        Live(world, 1);
        Assert.DoesNotContain(deaf, world.Links); // it did not end either, and was killed
        Assert.Equal((1UL, 1UL), (world.Engine.Counters.JobsAbandoned, world.Engine.Counters.RecycledForAbandonedJobs));
        Assert.Equal(0UL, world.Engine.Counters.SlavesDied);
        world.Finish();
    }

    [Fact]
    public void Its_place_goes_to_another_slave_also_while_the_app_drains()
    {
        World world = World.Begun(One with { Concurrency = 2, RetryLimit = 3 });
        world.Ask("suspect");
        Job deaf = world.Ask("deaf")!;
        world.Die(world.Links[0]); // from here on both run alone
        world.Ready(0);
        Assert.Equal(["deaf"], world.Links[0].Jobs);
        world.Cancel(deaf);
        Job second = world.Ask("second deaf one")!;
        Live(world, Patience);
        Assert.Equal(["deaf", "second deaf one"], world.Links[0].Jobs);
        world.Cancel(second);
        world.Engine.Drain(() => { });
        Live(world, Patience);
        Assert.Equal(2, world.Links.Count); // both places of the first are lost, and "suspect" needs one
        world.Finish();
    }

    [Fact]
    public void A_slave_that_ends_it_in_time_goes_on_as_if_nothing_had_been()
    {
        World world = World.Begun(One);
        world.Submit("slow", deadlineMs: 100);
        Live(world, 100);
        Assert.Equal([520], world.Outcomes);
        Live(world, Patience - 1);
        world.CloseOne(world.Links[0]);
        Live(world, Patience);
        Assert.Single(world.Links);
        Assert.Equal((0UL, 0), (world.Engine.Counters.JobsAbandoned, world.Links[0].Slave.Load));
        world.Finish();
    }

    [Fact]
    public void Other_jobs_on_it_are_finished_in_peace_and_it_ends_after_the_last_of_them()
    {
        World world = World.Begun(One with { Concurrency = 3 });
        FakeLink deaf = world.Links[0];
        world.Cancel(world.Ask("deaf")!);
        world.Submit("other");
        Live(world, Patience);
        world.Submit("meanwhile");
        Assert.Equal(3, deaf.Channels.Count);
        world.Links[1].Slave.OnReady();
        Live(world, 100 * Patience);
        Assert.False(deaf.IsTerminated);
        deaf.Channels.RemoveAt(0); // what is left are those that somebody waits for
        world.CloseOne(deaf);
        Assert.False(deaf.IsTerminated);
        world.CloseOne(deaf);
        Assert.True(deaf.IsTerminated);
        Assert.Equal([0, 0], world.Outcomes);
        world.EndTerminated();
        world.Finish();
    }

    [Fact]
    public void A_job_that_is_ended_late_after_all_leaves_and_its_slave_is_replaced_without_haste()
    {
        World world = World.Begun(One);
        FakeLink late = world.Links[0];
        world.Cancel(world.Ask("late")!);
        Live(world, Patience);
        world.CloseOne(late);
        Assert.Equal((0, 0), (late.Slave.Load, late.Slave.Channels.Abandoned));
        world.Submit("next");
        Assert.Single(late.Channels);
        world.Links[1].Slave.OnReady();
        Live(world, Patience);
        Assert.False(late.IsTerminated);
        world.CloseOne(late);
        Assert.True(late.IsTerminated);
        Assert.Equal([0], world.Outcomes);
        world.EndTerminated();
        world.Finish();
    }

    [Fact]
    public void A_recycling_is_not_held_up_by_a_job_that_is_not_ended()
    {
        World world = World.Begun(One with { MaxAgeMs = 60_000 });
        FakeLink old = world.Links[0];
        Job job = world.Ask("deaf")!;
        Live(world, 70_000);
        world.Links[1].Slave.OnReady();
        Assert.True(old.Slave.IsRetired);
        world.Cancel(job);
        Live(world, Patience - 1);
        Assert.False(old.IsTerminated);
        Live(world, 1);
        Assert.True(old.IsTerminated);
        Assert.Equal((1UL, 1UL, 0UL),
            (world.Engine.Counters.JobsAbandoned, world.Engine.Counters.RecycledForAge, world.Engine.Counters.RecycledForAbandonedJobs));
        world.EndTerminated();
        world.Finish();
    }

    [Fact]
    public void A_slave_without_any_place_left_ends_at_once_while_another_one_is_replaced()
    {
        World world = World.Begun(One with { PoolLimit = 2, PoolMinimum = 2 });
        world.Ready(0);
        world.Submit("runs on and on");
        Job job = world.Ask("deaf")!;
        FakeLink deaf = world.Links.Single(link => link.Slave == job.Slave), other = world.Links.Single(link => link != deaf);
        world.Cancel(job);
        Live(world, Patience - 1);
        world.Engine.Pool.Recycler.OnWorn(other.Slave, WearReason.Age);
        Assert.Equal(1, world.Engine.Pool.Roster.Starting); // for the other one
        Live(world, 1);
        Assert.True(deaf.IsTerminated);
        Assert.Contains(world.Log, line => line.Contains($"slave {deaf.Slave.ShortId} has nothing but 1 abandoned jobs and is told to end"));
        world.Submit("waits");
        world.Submit("waits too");
        Assert.Equal(2, world.Engine.Pool.Roster.Starting); // in its place, though the one that is to be relieved is there yet
        world.Ready(0);
        world.Ready(0);
        Assert.Equal(0, world.Engine.Queue.Count);
        Assert.False(other.IsTerminated);
        world.Finish();
    }

    [Fact]
    public void A_slave_without_any_place_left_ends_when_its_replacement_does_not_come_up()
    {
        World world = World.Begun(One);
        FakeLink deaf = world.Links[0];
        world.Cancel(world.Ask("deaf")!);
        world.Submit("waits");
        Live(world, Patience);
        Assert.False(deaf.IsTerminated);
        world.Die(world.Links[1], "no such module");
        Assert.True(deaf.IsTerminated);
        world.EndTerminated();
        Assert.Equal(1, world.Engine.Pool.Roster.Starting);
        world.Ready(0);
        world.CloseOne(world.Links[0]);
        Assert.Equal([0], world.Outcomes);
        world.Finish();
    }

    [Fact]
    public void A_draining_app_serves_its_queue_although_its_slave_does_not_end_a_cancelled_job()
    {
        World world = World.Begun(One);
        world.Cancel(world.Ask("deaf")!);
        world.Submit("waits");
        bool stopped = false;
        world.Engine.Drain(() => stopped = true);
        Live(world, Patience);
        Assert.True(world.Links[0].IsTerminated);
        Live(world, 2000);
        world.Ready(0);
        world.CloseOne(world.Links[0]);
        Assert.Equal([0], world.Outcomes);
        world.EndTerminated();
        Assert.True(stopped);
    }

    [Fact]
    public void A_paused_app_replaces_it_too()
    {
        World world = World.Begun(One);
        Job job = world.Ask("deaf")!;
        world.Engine.IsPaused = true;
        world.Cancel(job);
        Live(world, Patience);
        world.Links[1].Slave.OnReady();
        Assert.True(world.Links[0].IsTerminated);
        world.Engine.IsPaused = false;
        world.Submit("next");
        Assert.Single(world.Links[1].Channels);
        world.Finish();
    }

    [Fact]
    public void A_slave_over_a_lowered_limit_ends_though_it_does_not_end_its_job()
    {
        World world = World.Begun(One with { PoolLimit = 2, PoolMinimum = 2 });
        world.Ready(0);
        Job first = world.Ask("deaf")!;
        Job second = world.Ask("deaf too")!;
        world.Engine.Pool.SetBounds(0, 1);
        world.Cancel(first);
        world.Cancel(second);
        Live(world, Patience);
        Assert.Equal(2UL, world.Engine.Counters.JobsAbandoned);
        Assert.Equal(2, world.Links.Count(link => link.IsTerminated)); // the other one too: it can run nothing, and one more would be too many
        Live(world, 2000);
        Assert.Equal(0, world.Engine.Pool.Roster.Total);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_ends_already_or_is_killed_abandons_nothing()
    {
        World world = World.Begun(One with { TerminationTimeoutMs = 3 * Patience });
        FakeLink link = world.Links[0];
        world.Cancel(world.Ask("deaf")!);
        link.Say(sink => MessageWriter.WriteTerminate(sink, 1, "enough"));
        Live(world, 2 * Patience);
        Assert.Equal((0UL, 1), (world.Engine.Counters.JobsAbandoned, world.Links.Count));
        world.EndTerminated();
        world.Finish();
    }

    [Fact]
    public void A_slave_that_is_held_back_for_a_slow_caller_has_its_time_from_its_release_on()
    {
        World world = World.Begun(One);
        FakeLink held = world.Links[0];
        Job job = world.Ask("deadline", new JobPolicy { DeadlineMs = 100 })!;
        Assert.True(held.Slave.HoldBack(job.SlaveChannel));
        world.Advance(100);
        world.Advance(5 * Patience); // it may have ended long ago, and nobody could read it
        Assert.Equal(0UL, world.Engine.Counters.JobsAbandoned);
        held.Slave.LetGo(job.SlaveChannel);
        Live(world, Patience - 1);
        Assert.Equal(0UL, world.Engine.Counters.JobsAbandoned);
        Live(world, 1);
        Assert.Equal(1UL, world.Engine.Counters.JobsAbandoned);
        world.Finish();
    }

    [Fact]
    public void The_slave_that_has_lost_most_of_its_places_is_replaced_first()
    {
        World world = World.Begun(One with { PoolLimit = 3, PoolMinimum = 3, Concurrency = 4, StartupTimeoutMs = 10 * Patience });
        world.Ready(0);
        world.Ready(0);
        Job[] jobs = [.. Enumerable.Range(0, 12).Select(_ => world.Ask("deaf")!)];
        FakeLink first = world.Links[0], second = world.Links[1], third = world.Links[2];
        Cancel(third, 1);
        Live(world, Patience);
        Cancel(first, 1);
        Cancel(second, 2);
        Live(world, Patience);
        Assert.Equal(0, Begun(first) + Begun(second)); // it is the third one's turn
        world.Ready(0);
        Assert.Equal((0, 1), (Begun(first), Begun(second)));

        void Cancel(FakeLink link, int count)
        {
            foreach (Job job in jobs.Where(job => job.Slave == link.Slave).Take(count).ToArray())
            {
                world.Cancel(job);
            }
        }

        int Begun(FakeLink link) => world.Log.Count(line => line.Contains($"slave {link.Slave.ShortId} is worn by its AbandonedJobs"));
    }

    /// <summary>Time passes, and the slaves beat.</summary>
    private static void Live(World world, long ms)
    {
        while (ms > 0)
        {
            long step = Math.Min(ms, Patience / 2);
            ms -= step;
            world.HoldUp(step);
            foreach (FakeLink link in world.Links.Where(link => link.Slave.State is SlaveState.Idle or SlaveState.Busy && !link.Slave.IsHeldBack).ToArray())
            {
                link.Heartbeat();
            }

            world.Advance(0);
        }
    }
}
