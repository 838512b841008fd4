using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>The longest run of a job, and what is counted of jobs that fail.</summary>
public class JobTimeoutTests
{
    private static readonly EngineSettings One = new()
    {
        PoolLimit = 1,
        QueueLimit = 10,
        JobTimeoutMs = 2000,
        HeartbeatTimeoutMs = 600_000,
        TerminationTimeoutMs = 1000,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_job_that_runs_for_its_job_timeout_gets_504_and_its_worker_is_told(bool hasBegunToAnswer)
    {
        World world = World.Begun(One);
        world.Advance(5000); // an idle time that is not the job's
        world.Submit("poll");
        if (hasBegunToAnswer)
        {
            world.Chunk(0);
        }

        world.Advance(1999);
        world.Links[0].Heartbeat(); // a slave that beats is not silent
        Assert.Empty(world.Ends);
        world.Advance(1);
        Assert.Equal(new JobEnd("poll", 504, "the job ran for its job-timeout of 2000 ms and was cancelled", 0), Assert.Single(world.Ends));
        Assert.Single(world.Links[0].Cancelled);
        Assert.Equal(1UL, world.Engine.Counters.JobTimeouts);
        Assert.Contains(world.Log, line => line.Contains("job 1 (poll) ran for its job-timeout of 2000 ms"));
        world.Close(0); // the worker ends it
        world.Advance(60_000);
        Assert.False(world.Links[0].KillAsked);
        world.Finish();
    }

    [Fact]
    public void A_wait_in_the_queue_is_no_run_and_another_run_has_a_time_of_its_own()
    {
        World world = World.Begun(One);
        world.Submit("first");
        world.Submit("waits");
        world.Advance(1500);
        world.Close(0);
        world.Advance(1500);
        world.Die(0); // of the second one
        world.Advance(10);
        world.Ready(0);
        world.Advance(1999);
        Assert.Equal(["first"], world.Ends.Select(end => end.Name));
        world.Advance(1);
        Assert.Equal(("waits", 504), (world.Ends[1].Name, world.Ends[1].Code));
        world.Close(0);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_does_not_end_such_a_job_in_time_is_killed_when_it_has_no_other()
    {
        World world = World.Begun(One);
        world.Submit("hangs");
        FakeLink slave = world.Links[0];
        world.Advance(2000);
        slave.Heartbeat();
        world.Advance(999, endKilled: false);
        Assert.False(slave.KillAsked);
        world.Advance(1, endKilled: false);
        Assert.StartsWith("job 1", slave.KillReason);
        Assert.EndsWith("within the termination-timeout of 1000 ms", slave.KillReason);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_beats_and_has_others_is_replaced_and_they_are_finished()
    {
        World world = World.Begun(One with { Concurrency = 8, PoolLimit = 1 });
        world.Submit("hangs");
        world.Advance(1500);
        world.Submit("beside");
        world.Advance(500);
        FakeLink slave = world.Links[0];
        Assert.Equal(504, world.Ends.Single().Code);
        world.Advance(500);
        slave.Heartbeat();
        world.Advance(500, endKilled: false);
        Assert.False(slave.KillAsked);
        Assert.Equal(1UL, world.Engine.Counters.JobsAbandoned);
        slave.Channels.RemoveAt(0);
        world.CloseOne(slave);
        Assert.Equal(("beside", 0), (world.Ends[1].Name, world.Ends[1].Code));
        world.Ready(0); // its replacement
        Assert.True(slave.IsTerminated);
        world.Advance(1000);
        world.Finish();
    }

    [Fact]
    public void Jobs_that_fail_are_in_the_histograms_with_their_time()
    {
        World world = World.Begun(One with { JobTimeoutMs = 0, QueueTimeoutMs = 700 });
        world.Submit("runs", deadlineMs: 1000);
        world.Submit("waits");
        world.Advance(700);
        Assert.Equal((1L, 0L), (world.Task.TimeInQueue.Count, world.Task.TimeOnSlave.Count));
        Assert.Equal(700_000_000, world.Task.TimeInQueue.Sum);
        world.Advance(300);
        Assert.Equal((2L, 1L), (world.Task.TimeInQueue.Count, world.Task.TimeOnSlave.Count));
        Assert.Equal(1_000_000_000, world.Task.TimeOnSlave.Sum);
        Assert.Equal((1L, 1L, 2L), (world.Task.FailedInQueue, world.Task.FailedOnSlave, world.Task.Failed));
        world.Close(0);
        world.Submit("dies");
        world.Chunk(0);
        world.Advance(250);
        world.Die(0);
        Assert.Equal((2L, 1_250_000_000L), (world.Task.TimeOnSlave.Count, world.Task.TimeOnSlave.Sum));
        world.Submit("is done");
        world.Ready(0);
        world.Close(0);
        Assert.Equal((4L, 3L, 2L), (world.Task.TimeInQueue.Count, world.Task.TimeOnSlave.Count, world.Task.FailedOnSlave));
        world.Finish();
    }
}
