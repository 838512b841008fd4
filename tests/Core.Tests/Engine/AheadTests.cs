using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Jobs that stand in a slave's ring ahead of their turn: which do, for how long, and what becomes of them.</summary>
public class AheadTests
{
    private const ulong First = 2; // the first channel of a slave

    private static EngineSettings Settings(int concurrency = 1, int poolLimit = 1) => new()
    {
        PoolLimit = poolLimit,
        Concurrency = concurrency,
        QueueLimit = 100,
    };

    [Fact]
    public void A_slave_whose_jobs_are_quick_gets_others_ahead_and_they_count_as_waiting()
    {
        World world = Quick(out FakeLink link);
        Job running = world.Ask("running")!;
        Job placed = world.Ask("placed")!;

        Assert.Equal((JobState.Running, JobState.Placed), (running.State, placed.State));
        Assert.Equal(["running", "placed"], link.Jobs);
        Assert.Equal((1, 1, 1), (world.Engine.Queue.Count, world.Engine.Queue.Placed, world.Engine.RunningJobs));
        Assert.Equal((1, 1), (link.Slave.Load, link.Slave.Ahead.Count));
        world.AssertCounts();

        world.CloseOne(link);
        Assert.Equal(JobState.Running, placed.State); // its turn has come, and nothing more was written for it
        Assert.Equal((0, 0), (world.Engine.Queue.Count, world.Engine.Queue.Placed));
        world.Finish();
    }

    [Fact]
    public void A_slave_of_which_nothing_is_known_or_that_is_slow_gets_nothing_ahead()
    {
        World world = World.Begun(Settings());
        FakeLink link = world.Links[0];
        link.BegunWord = 1;
        world.Ask("first");
        Job waits = world.Ask("waits")!;
        Assert.Equal(JobState.Queued, waits.State);
        world.Advance(50);
        world.CloseOne(link); // in 50 ms
        Assert.Equal(JobState.Queued, world.Ask("slow")!.State);
        Assert.Empty(link.Recalls);
        world.Finish();
    }

    [Fact]
    public void Whole_jobs_are_placed_past_unfinished_ones_in_their_order_and_those_keep_their_places()
    {
        World world = Quick(out FakeLink link);
        world.Ask("running");
        Job first = world.Begin("upload"), whole = world.Ask("whole")!, second = world.Begin("second upload"), last = world.Ask("last")!;

        Assert.Equal(["running", "whole", "last"], link.Jobs);
        Assert.All([first, second], job => Assert.Equal(JobState.Queued, job.State));
        Assert.All([whole, last], job => Assert.Equal(JobState.Placed, job.State));

        world.Engine.EndRequest(second);
        Assert.Equal(["running", "whole", "last", "second upload"], link.Jobs);
        world.Engine.EndRequest(first);
        Assert.Equal(JobState.Placed, first.State);
        world.Finish();
    }

    [Fact]
    public void An_unfinished_job_runs_when_its_turn_has_come_and_before_those_that_are_not_placed()
    {
        World world = Quick(out FakeLink link);
        world.Ask("running");
        Job upload = world.Begin("upload");
        world.Ask("placed");
        world.CloseOne(link);
        Assert.Equal(["placed"], link.Jobs);
        world.CloseOne(link);
        Assert.Equal(["upload"], link.Jobs);
        Assert.Equal(JobState.Running, upload.State);
        world.Engine.EndRequest(upload);
        world.Finish();
    }

    /// <summary>Its caller may wait for the handler's first word before it sends the rest.</summary>
    [Fact]
    public void An_unfinished_job_is_not_passed_for_ever()
    {
        World world = Quick(out FakeLink link);
        world.Ask("running");
        Job upload = world.Begin("upload");
        int passed = 0;
        for (; upload.State == JobState.Queued && passed <= EngineLimits.MostPassed; passed++)
        {
            world.Ask("whole"); // one stands ahead at each time
            world.CloseOne(link);
        }

        Assert.Equal(JobState.Running, upload.State);
        Assert.InRange(passed, EngineLimits.MostPassed, EngineLimits.MostPassed + 1);
        world.Engine.EndRequest(upload);
        world.Finish();
    }

    [Fact]
    public void A_worker_that_does_not_tell_what_it_has_begun_gets_nothing_ahead()
    {
        World world = Quick(out FakeLink link);
        link.BegunWord = 0;
        world.Ask("running");
        Assert.Equal(JobState.Queued, world.Ask("waits")!.State);
        world.Finish();
    }

    [Fact]
    public void A_request_that_is_not_whole_is_not_placed_before_it_is()
    {
        World world = Quick(out _);
        world.Ask("running");
        Job open = world.Begin("open");
        Job next = world.Ask("next")!;
        Assert.Equal((JobState.Queued, JobState.Placed), (open.State, next.State));
        world.Engine.EndRequest(open);
        Assert.Equal((JobState.Placed, JobState.Placed), (open.State, next.State));
        world.Finish();
    }

    [Fact]
    public void What_stands_for_too_long_is_taken_back_and_waits_in_its_order()
    {
        World world = Quick(out FakeLink link);
        world.Ask("slow");
        link.BegunWord = First + 1;
        Job[] placed = [.. Enumerable.Range(0, 4).Select(i => world.Ask($"p{i}")!)];
        Assert.All(placed, job => Assert.Equal(JobState.Placed, job.State));

        world.Advance(EngineLimits.MostStandingMs + 1);

        Assert.All(placed, job => Assert.Equal((JobState.Queued, 0), (job.State, job.Runs)));
        Assert.Equal([First + 2], link.Recalls);
        Assert.Equal(["slow"], link.Jobs);
        Assert.Equal((4, 0, 4ul), (world.Engine.Queue.Count, world.Engine.Queue.Placed, world.Engine.Counters.JobsTakenBack));
        Assert.Equal(JobState.Queued, world.Ask("later")!.State); // it is slow now
        world.CloseOne(link);
        Assert.Equal(["p0"], link.Jobs);
        world.Finish();
    }

    [Fact]
    public void What_the_worker_has_begun_stays()
    {
        World world = Quick(out FakeLink link);
        world.Ask("slow");
        Job begun = world.Ask("begun")!;
        Job back = world.Ask("back")!;
        link.BegunWord = First + 2; // the node has not read yet that "slow" has ended

        world.Advance(EngineLimits.MostStandingMs + 1);

        Assert.Equal((JobState.Placed, JobState.Queued), (begun.State, back.State));
        Assert.Equal([First + 3], link.Recalls);
        world.CloseOne(link);
        Assert.Equal(JobState.Running, begun.State);
        world.Finish();
    }

    /// <summary>A worker may store any number in its words.</summary>
    [Fact]
    public void A_worker_that_tells_of_jobs_that_it_was_never_given_keeps_those_that_it_has()
    {
        World world = Quick(out FakeLink link);
        world.Ask("slow");
        Job placed = world.Ask("placed")!;
        link.BegunWord = First + 1;
        link.BegunAtRecall = ulong.MaxValue;

        world.Advance(EngineLimits.MostStandingMs + 1);

        Assert.Equal(JobState.Placed, placed.State);
        Assert.Equal([First + 3], link.Recalls);
        link.BegunAtRecall = 0;
        world.CloseOne(link);
        Assert.Equal(JobState.Running, placed.State);
        world.Finish();
    }

    [Fact]
    public void An_idle_slave_gets_half_of_what_stands_behind_a_slow_job()
    {
        World world = Quick(out FakeLink link, Settings(concurrency: 8, poolLimit: 2) with { PoolMinimum = 2 });
        world.Ready(0);
        FakeLink other = world.Links.Single(one => one != link);
        other.BegunWord = 1;
        for (int i = 0; i < 6; i++)
        {
            world.Ask($"j{i}");
        }

        Assert.Equal((3, 3), (link.Slave.Load, other.Slave.Load));
        link.BegunWord = link.Channels[0];
        other.BegunWord = 100;
        world.Advance(EngineLimits.MostStandingMs);
        while (other.Channels.Count > 0 && link.Slave.Load == 3)
        {
            world.CloseOne(other);
        }

        Assert.Equal((2, 1), (link.Slave.Load, other.Slave.Load)); // one of the two that were not begun
        Assert.Single(link.Recalls);
        world.AssertCounts();
        world.Finish();
    }

    [Fact]
    public void A_request_that_becomes_whole_behind_a_slow_job_goes_to_a_slave_that_has_long_been_idle()
    {
        World world = Quick(out FakeLink link, Settings(concurrency: 8, poolLimit: 2) with { PoolMinimum = 2 });
        world.Ask("slow");
        link.BegunWord = link.Channels[0];
        Job open = world.Begin("open");
        world.Ready(0);
        FakeLink other = world.Links.Single(one => one != link);
        other.BegunWord = 1;
        world.Advance(EngineLimits.MostStandingMs);
        world.Ask("one more");
        world.CloseOne(other); // it looks for work, and may not have what is not whole
        world.Advance(10 * EngineLimits.MostStandingMs);
        Assert.Equal((2, 0), (link.Slave.Load, other.Slave.Load));
        Assert.False(world.Engine.Pool.Ahead.IsArmed);

        world.Engine.EndRequest(open);
        world.Advance(EngineLimits.MostStandingMs);

        Assert.Equal((1, 1), (link.Slave.Load, other.Slave.Load));
        Assert.Same(other.Slave, open.Runner);
        world.AssertCounts();
        world.Finish();
    }

    [Fact]
    public void Jobs_that_run_side_by_side_beside_an_idle_slave_keep_no_timer_going()
    {
        World world = Quick(out FakeLink link, Settings(concurrency: 8, poolLimit: 2) with { PoolMinimum = 2 });
        world.Ready(0);
        FakeLink other = world.Links.Single(one => one != link);
        other.BegunWord = 1;
        for (int i = 0; i < 4; i++)
        {
            world.Ask($"j{i}");
        }

        link.BegunWord = other.BegunWord = 100; // all are begun
        world.CloseOne(other);
        world.CloseOne(other);
        world.Advance(EngineLimits.MostStandingMs);

        Assert.Equal((2, 0), (link.Slave.Load, other.Slave.Load));
        Assert.False(world.Engine.Pool.Ahead.IsArmed);
        Assert.Empty(link.Recalls);
        world.Finish();
    }

    [Fact]
    public void A_death_is_charged_to_what_was_begun_and_to_nothing_else()
    {
        World world = Quick(out FakeLink link, Settings(concurrency: 4));
        Job[] jobs = [.. Enumerable.Range(0, 5).Select(i => world.Ask($"j{i}")!)]; // the last one is placed
        Assert.Equal(JobState.Placed, jobs[4].State);
        link.BegunWord = jobs[0].SlaveChannel;

        world.Die(link);

        Assert.Equal([1, 0, 0, 0, 0], jobs.Select(job => job.Deaths?.Count ?? 0));
        Assert.Equal([true, false, false, false, false], jobs.Select(job => job.IsSuspect));
        Assert.All(jobs[1..], job => Assert.Equal((JobState.Queued, 0), (job.State, job.Runs)));
        Assert.Equal((1ul, 4ul), (world.Engine.Counters.JobsRetried, world.Engine.Counters.JobsTakenBack));
        world.Finish();
        Assert.All(world.Ends, end => Assert.Equal(0, end.Code));
    }

    [Fact]
    public void Slaves_that_die_before_they_begin_a_job_charge_it_with_nothing_but_not_for_ever()
    {
        World world = World.Begun(Settings() with { RetryLimit = 0, MinUptimeMs = 0 });
        world.SlavesTell = true;
        world.Links[0].BegunWord = 1;
        Job job = world.Ask("job")!;
        for (int death = 1; death <= EngineLimits.MostReprieves; death++)
        {
            world.Die(world.Links[0]);
            Assert.Equal((JobState.Queued, 0), (job.State, job.Runs));
            world.Ready(0);
            Assert.Equal(JobState.Running, job.State);
        }

        world.Die(world.Links[0]);
        Assert.Equal(502, Assert.Single(world.Outcomes));
        world.Finish();
    }

    [Fact]
    public void A_placed_job_can_be_cancelled_and_expire_as_one_that_waits()
    {
        World world = Quick(out FakeLink link, Settings() with { QueueTimeoutMs = 1 });
        world.Ask("running");
        Job cancelled = world.Ask("cancelled")!;
        world.Ask("expires");
        world.Cancel(cancelled);
        Assert.Equal(2, link.Slave.Channels.Count); // the one behind it is placed again
        link.BegunWord = 3;
        world.Advance(1);
        JobEnd end = world.Ends[^1];
        Assert.Equal((2, "expires", 504), (world.Ends.Count, end.Name, end.Code));
        Assert.Contains("never run", end.Reason, StringComparison.Ordinal);
        Assert.Empty(link.Cancelled);
        world.Finish();
    }

    [Fact]
    public void An_urgent_job_stands_before_those_that_are_placed()
    {
        World world = Quick(out FakeLink link);
        world.Ask("running");
        world.Ask("p0");
        world.Ask("p1");
        world.Submit("urgent", urgent: true);
        Assert.Equal(["running", "urgent", "p0", "p1"], link.Jobs);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_leaves_gives_back_what_it_has_not_begun()
    {
        World world = Quick(out FakeLink link, Settings(poolLimit: 2));
        world.Ask("running");
        Job placed = world.Ask("placed")!;
        link.Slave.Retire("a test", SlaveEnd.Recycled);
        Assert.Equal(JobState.Queued, placed.State);
        world.Finish();
    }

    [Fact]
    public void A_full_queue_counts_what_is_placed()
    {
        World world = Quick(out _, Settings() with { QueueLimit = 2 });
        world.Ask("running");
        world.Ask("p0");
        world.Ask("p1");
        Assert.Null(world.Ask("one more"));
        Assert.Equal(503, world.LastRefusal);
        world.Finish();
    }

    [Fact]
    public void Quick_jobs_that_wait_for_a_moment_start_no_slave_and_a_slow_one_does()
    {
        World world = Quick(out FakeLink link, Settings(poolLimit: 4));
        world.Ask("running");
        for (int i = 0; i < 20; i++)
        {
            world.Ask("quick");
        }

        Assert.Single(world.Links);
        link.BegunWord = 3;
        world.Advance(world.Engine.Settings.GrowWaitMs + 2);
        Assert.True(world.Links.Count > 1); // none has ended for so long
        world.Finish();
    }

    /// <summary>A world whose slave has just ended a job in no time.</summary>
    private static World Quick(out FakeLink link, EngineSettings? settings = null)
    {
        World world = World.Begun(settings ?? Settings());
        link = world.Links[0];
        link.BegunWord = 1;
        world.Ask("quick");
        link.BegunWord = First;
        world.CloseOne(link);
        return world;
    }
}
