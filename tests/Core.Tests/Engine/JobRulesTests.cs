using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>What the design says of a job, a test for each sentence.</summary>
public class JobRulesTests
{
    private static readonly EngineSettings One = new() { PoolLimit = 1, QueueLimit = 10, HeartbeatTimeoutMs = 20_000, TerminationTimeoutMs = 1000 };

    [Fact]
    public void A_name_that_no_worker_can_be_given_changes_nothing()
    {
        World world = World.Begun(new EngineSettings { PoolLimit = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Ask(new string('e', OpeningBounds.MaxNameBytes + 1)));
        world.AssertCounts();
        Assert.Equal(0UL, world.Engine.Counters.JobsAccepted);
        Assert.NotNull(world.Ask(new string('e', OpeningBounds.MaxNameBytes)));
        world.Finish();
    }

    [Fact]
    public void While_the_engine_drains_a_job_gets_503_and_once_it_has_stopped_500()
    {
        World world = World.Begun(One);
        world.Submit("runs");
        world.Engine.Drain(() => { });
        world.Submit("late");
        Assert.Equal((503, "the app is draining: it takes no new jobs"), (world.Refusal.Code, world.Refusal.Reason));
        Assert.Equal(0, world.Refusal.RetryAfterS); // it is not room that is missing
        world.Close(0);
        world.EndTerminated();
        world.Submit("too late");
        Assert.Equal((500, "the app is not running"), (world.Refusal.Code, world.Refusal.Reason));
    }

    [Fact]
    public void A_slave_with_room_gets_the_job_straight_else_it_is_queued_else_it_gets_503_at_once()
    {
        World world = World.Begun(One with { QueueLimit = 1 });
        Assert.Equal(JobState.Running, world.Ask("straight")!.State);
        Assert.Equal(JobState.Queued, world.Ask("queued")!.State);
        Assert.Null(world.Ask("refused"));
        Assert.Equal((503, "the queue is full: 1 jobs wait"), (world.Refusal.Code, world.Refusal.Reason));
        world.Finish();
    }

    [Fact]
    public void Refused_jobs_have_numbers_too_and_numbers_go_on_after_those_of_the_engine_before()
    {
        World world = World.Begun(One with { QueueLimit = 1 }, new EngineRecords { FirstJobId = 1000 });
        Assert.Equal(1001UL, world.Ask("first")!.Id);
        Assert.Equal(1002UL, world.Ask("second")!.Id);
        world.Ask("refused");
        Assert.Equal(1003UL, world.Refusal.JobId);
        world.Close(0);
        Assert.Equal(1004UL, world.Ask("third")!.Id);
        Assert.Equal(3UL, world.Engine.Counters.JobsAccepted);
        world.Finish();
    }

    [Fact]
    public void The_timeout_of_a_job_counts_from_its_dispatch_and_its_slave_has_the_termination_timeout_to_answer_the_cancel()
    {
        World world = World.Begun(One);
        world.Advance(15_000); // an idle time that is not the job's
        world.Ask("silent", new JobPolicy { SilenceTimeoutMs = 3000 });
        world.Advance(2999);
        Assert.Empty(world.Ends);
        world.Advance(1);
        JobEnd end = Assert.Single(world.Ends);
        Assert.Equal(504, end.Code);
        Assert.EndsWith("was silent for the job's timeout of 3000 ms", end.Reason);
        Assert.Equal(1UL, world.Engine.Counters.SilenceTimeouts);
        Assert.Single(world.Links[0].Cancelled);
        world.Advance(999);
        FakeLink slave = Assert.Single(world.Links);
        Assert.False(slave.KillAsked);
        world.Advance(1);
        Assert.Equal("job 1 did not answer its cancel within the termination-timeout of 1000 ms", slave.KillReason);
    }

    [Fact]
    public void A_slave_that_answers_the_cancel_lives_on()
    {
        World world = World.Begun(One);
        world.Ask("silent", new JobPolicy { SilenceTimeoutMs = 3000 });
        world.Advance(3000);
        world.Close(0);
        world.Advance(5000);
        Assert.False(Assert.Single(world.Links).KillAsked);
        world.Finish();
    }

    [Fact]
    public void The_timeout_of_a_job_overrides_the_heartbeat_timeout_for_it_also_when_it_is_longer()
    {
        World world = World.Begun(One with { Concurrency = 2 });
        world.Ask("patient", new JobPolicy { SilenceTimeoutMs = 60_000 });
        world.Ask("usual");
        FakeLink slave = world.Links[0];
        world.Advance(20_000);
        Assert.Equal(("usual", 504), (world.Ends.Single().Name, world.Ends.Single().Code));
        Assert.EndsWith("was silent for its heartbeat-timeout of 20000 ms", world.Ends[0].Reason);
        Assert.False(slave.KillAsked);
        world.Advance(39_000);
        slave.Heartbeat();
        world.Advance(59_999);
        Assert.Single(world.Ends);
        world.Advance(1);
        Assert.EndsWith("was silent for the job's timeout of 60000 ms", world.Ends[1].Reason);
        world.Advance(1000);
        Assert.DoesNotContain(slave, world.Links); // nothing of it was heard any more
    }

    [Fact]
    public void A_slave_that_might_be_silent_for_a_job_that_has_left_it_may_be_so_no_longer()
    {
        World world = World.Begun(One with { Concurrency = 3 });
        FakeLink slave = world.Links[0];
        world.Ask("patient", new JobPolicy { SilenceTimeoutMs = 600_000 });
        world.Ask("usual");
        world.Advance(20_000);
        Assert.Equal("usual", world.Ends.Single().Name);
        world.Ask("given to a silent slave");
        world.CloseOne(slave); // the patient one is done
        Assert.Equal(["usual", "patient"], world.Ends.Select(end => end.Name));
        world.Advance(19_999);
        Assert.False(slave.KillAsked);
        world.Advance(1);
        Assert.Equal(("given to a silent slave", 504), (world.Ends[^1].Name, world.Ends[^1].Code));
        Assert.EndsWith("was silent for its heartbeat-timeout of 20000 ms", slave.KillReason!);
    }

    [Fact]
    public void A_job_given_to_a_slave_that_is_silent_by_right_has_the_heartbeat_timeout_of_its_own()
    {
        World world = World.Begun(One with { Concurrency = 2 });
        world.Ask("patient", new JobPolicy { SilenceTimeoutMs = 600_000 });
        world.Advance(19_000);
        world.Ask("usual");
        world.Advance(1000);
        world.Advance(19_999);
        Assert.Empty(world.Ends);
        world.Advance(1);
        Assert.Equal(("usual", 504), (world.Ends.Single().Name, world.Ends.Single().Code));
        Assert.False(world.Links[0].KillAsked);
    }

    [Fact]
    public void A_slave_silent_for_the_heartbeat_timeout_is_killed_and_its_jobs_get_504_and_any_message_is_a_heartbeat()
    {
        World world = World.Begun(One);
        world.Submit("job");
        world.Advance(19_000);
        world.Chunk(0);
        world.Advance(19_999);
        Assert.Empty(world.Ends);
        FakeLink slave = world.Links[0];
        world.Advance(1);
        Assert.Equal(504, world.Ends.Single().Code);
        Assert.EndsWith("was silent for its heartbeat-timeout of 20000 ms", slave.KillReason!);
        Assert.Equal(1UL, world.Engine.Counters.HeartbeatTimeouts);
    }

    [Fact]
    public void After_its_deadline_a_job_gets_520_a_queued_one_is_never_run_and_a_running_one_is_cancelled()
    {
        World world = World.Begun(One);
        List<string> run = [];
        world.OnInvoke = run.Add;
        world.Submit("runs", deadlineMs: 1000);
        world.Submit("waits", deadlineMs: 500);
        world.Advance(500);
        Assert.Equal(new JobEnd("waits", 520, "the deadline of 500 ms passed while the job was waiting in the queue", 0), world.Ends.Single());
        world.Advance(500);
        Assert.Equal(new JobEnd("runs", 520, "the deadline of 1000 ms passed while the job was running", 0), world.Ends[1]);
        Assert.Single(world.Links[0].Cancelled);
        Assert.Equal(2UL, world.Engine.Counters.Deadlines);
        world.Close(0);
        Assert.Equal(["runs"], run);
        world.Finish();
    }

    [Fact]
    public void The_deadline_reaches_a_streaming_job_too()
    {
        World world = World.Begun(One);
        world.Submit("streams", deadlineMs: 1000);
        world.Chunk(0);
        world.Advance(1000);
        Assert.Equal(520, world.Ends.Single().Code);
        world.Close(0);
        world.Finish();
    }

    [Fact]
    public void The_deadline_counts_from_the_arrival_also_for_a_job_that_was_run_before_and_an_answered_one_has_none()
    {
        World world = World.Begun(One);
        world.Submit("again", deadlineMs: 1000);
        world.Advance(600);
        world.Die(0);
        world.Advance(399);
        Assert.Empty(world.Ends);
        world.Advance(1);
        Assert.Equal(new JobEnd("again", 520, "the deadline of 1000 ms passed while the job was waiting in the queue", 0), world.Ends.Single());
        world.Ready(0);
        world.Submit("runs again", deadlineMs: 1000);
        world.Die(0);
        world.Advance(100);
        world.Ready(0);
        world.Advance(900);
        Assert.Equal(new JobEnd("runs again", 520, "the deadline of 1000 ms passed while the job was running", 0), world.Ends[1]);
        world.Close(0);
        Job cancelled = world.Ask("cancelled", new JobPolicy { DeadlineMs = 1000 })!;
        world.Cancel(cancelled);
        world.Advance(2000);
        Assert.Equal((2, 2UL), (world.Ends.Count, world.Engine.Counters.Deadlines));
        world.Close(0);
        world.Finish();
    }

    [Fact]
    public void A_job_that_waits_for_the_queue_timeout_gets_504_and_is_never_run()
    {
        World world = World.Begun(One with { QueueTimeoutMs = 700 });
        List<string> run = [];
        world.OnInvoke = run.Add;
        world.Submit("runs");
        world.Submit("waits");
        world.Advance(700);
        Assert.Equal(
            new JobEnd("waits", 504, "the job waited in the queue for the queue-timeout of 700 ms and was never run", 0), world.Ends.Single());
        Assert.Equal(1UL, world.Engine.Counters.QueueTimeouts);
        world.Close(0);
        Assert.Equal(["runs"], run);
        world.Finish();
    }

    /// <summary>The loop was held up: the slave's answer is handled before the timers are.</summary>
    [Fact]
    public void A_job_whose_time_has_passed_when_a_slave_frees_is_answered_and_never_run()
    {
        World world = World.Begun(One with { QueueTimeoutMs = 700 });
        List<string> run = [];
        world.OnInvoke = run.Add;
        world.Submit("runs");
        world.Submit("for too long");
        world.Submit("over", deadlineMs: 600);
        world.HoldUp(800);
        world.Submit("fresh");
        world.Close(0);
        Assert.Equal(["runs", "fresh"], run);
        Assert.Equal([("for too long", 504), ("over", 520)], world.Ends.Where(end => end.Code != 0).Select(end => (end.Name, end.Code)));
        world.AssertCounts();
        world.Finish();
    }

    [Fact]
    public void The_queue_timeout_of_a_job_that_is_run_again_counts_from_its_return_to_the_queue()
    {
        World world = World.Begun(One with { QueueTimeoutMs = 700 });
        world.Submit("twice");
        world.Advance(5000);
        world.Die(0);
        world.Advance(699);
        Assert.Empty(world.Ends);
        world.Advance(1);
        Assert.Equal(
            new JobEnd("twice", 504, "the job waited in the queue for the queue-timeout of 700 ms and was not run again", 0),
            world.Ends.Single());
        world.Finish();
    }

    [Fact]
    public void A_job_whose_client_goes_away_leaves_the_queue_or_its_worker_gets_an_error_and_both_are_counted()
    {
        World world = World.Begun(One);
        Job runs = world.Ask("runs")!;
        Job waits = world.Ask("waits")!;
        world.Cancel(waits);
        Assert.Equal(0, world.Engine.Queue.Count);
        world.Cancel(runs);
        Assert.Single(world.Links[0].Cancelled);
        world.Close(0);
        Job gaveUp = world.Ask("gives up")!;
        world.Cancel(gaveUp, clientGone: false);
        world.Close(0);
        Job streams = world.Ask("streams")!;
        world.Chunk(0);
        world.Cancel(streams);
        Assert.Equal(3, world.Links[0].Cancelled.Count);
        world.Chunk(0); // nobody hears it
        world.Die(0);
        Job again = world.Ask("runs again")!;
        world.Ready(0);
        world.Die(0);
        world.Cancel(again);
        Assert.Equal(0, world.Engine.Queue.Count);
        Assert.Empty(world.Ends);
        Assert.Equal((5UL, 4UL), (world.Engine.Counters.JobsCancelled, world.Engine.Counters.ClientsGone));
        world.AssertCounts();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_job_whose_slave_dies_is_run_again_as_often_as_the_retry_limit_says_then_gets_502_with_the_cause(int limit)
    {
        World world = World.Begun(One with { RetryLimit = limit });
        world.Submit("kills");
        for (int i = 0; i < limit; i++)
        {
            world.Die(0);
            Assert.Empty(world.Ends);
            world.Ready(0);
        }

        string id = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "signal 11");
        Assert.Equal(new JobEnd("kills", 502, $"slave {id} died: signal 11", 0), world.Ends.Single());
        Assert.Equal((ulong)limit, world.Engine.Counters.JobsRetried);
        world.Finish();
    }

    [Fact]
    public void A_job_whose_answer_has_begun_is_not_run_again()
    {
        World world = World.Begun(One);
        world.Submit("begun");
        world.Chunk(0);
        world.Die(0);
        Assert.Equal(502, world.Ends.Single().Code);
        world.Finish();
    }

    [Fact]
    public void The_queue_holds_no_more_bytes_than_queue_bytes()
    {
        World world = World.Begun(One with { QueueBytes = 1000 });
        world.Ask("runs", default, sizeBytes: 5000); // what runs does not wait
        Assert.NotNull(world.Ask("fits", default, sizeBytes: 600));
        Assert.Equal(604, world.Engine.Queue.SizeBytes);
        Assert.Null(world.Ask("does not", default, sizeBytes: 600));
        Assert.Equal(new JobEnd("does not", 503, "the queue is full: the queue holds 604 bytes", 1), world.Ends.Single());
        Assert.NotNull(world.Ask("fills", default, sizeBytes: 396));
        Assert.Null(world.Ask("no room", default, sizeBytes: 0));
        Assert.Equal((503, "the queue is full: the queue holds 1004 bytes"), (world.Refusal.Code, world.Refusal.Reason));
        world.Close(0);
        world.Close(0);
        Assert.Equal(0, world.Engine.Queue.SizeBytes);
        world.Finish();
    }

    [Fact]
    public void A_refusal_for_lack_of_room_says_when_the_jobs_that_wait_will_have_been_served()
    {
        World world = World.Begun(One with { QueueLimit = 10 });
        world.Submit("runs");
        for (int i = 0; i < 10; i++)
        {
            world.Submit("waits");
        }

        world.Submit("refused");
        Assert.Equal(1, world.Refusal.RetryAfterS); // nothing is known yet
        for (int i = 0; i < 5; i++)
        {
            world.Advance(500);
            world.Close(0);
            world.Submit("waits");
        }

        world.Submit("refused");
        Assert.Equal(5, world.Refusal.RetryAfterS); // ten wait, two are served a second
        world.Links[0].Heartbeat();
        world.Advance(19_000);
        world.Links[0].Heartbeat();
        world.Submit("refused");
        Assert.Equal(43, world.Refusal.RetryAfterS); // five in 21.5 s
        world.Advance(19_000);
        for (int i = 0; i < 10; i++)
        {
            world.Links[0].Heartbeat();
            world.Advance(19_000);
            world.Submit("refused");
        }

        Assert.Equal(60, world.Refusal.RetryAfterS);
    }
}
