using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sharing;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Sharing;

/// <summary>When jobs go to another shard, and what becomes of them.</summary>
public class SiblingsTests
{
    private static readonly EngineSettings One = new() { PoolLimit = 1, PoolMinimum = 1, QueueLimit = 0, GrowWaitMs = 5, RetryLimit = 1 };

    [Fact]
    public void A_job_that_waits_for_long_goes_to_a_shard_with_an_idle_slave_and_its_answer_comes_back()
    {
        Shards shards = Overloaded(out Job away);
        Assert.Equal((JobState.Away, 1, 0), (away.State, shards[1].Links[0].Channels.Count, shards.Of(1).WaitingGuests));
        shards[1].Chunk(0);
        shards[1].Close(0);
        Assert.Contains(away, shards[0].Open); // nothing is there before the message is
        shards.DeliverAll();
        Assert.Equal(new JobEnd("second", 0, "", 0), Assert.Single(shards[0].Ends));
        Assert.Equal((1UL, 0UL, 2UL, 0UL), (shards[0].Engine.Counters.JobsDone, shards[1].Engine.Counters.JobsDone,
            shards[0].Engine.Counters.JobsAccepted, shards[1].Engine.Counters.JobsAccepted));
        shards.Finish();
    }

    [Fact]
    public void A_job_that_need_not_wait_for_long_stays()
    {
        Shards shards = new(2, One);
        shards.ReadyAll();
        shards[0].Ask("first");
        shards.Advance(1);
        shards[0].Close(0); // the pace is known: a job takes a millisecond
        shards[0].Ask("second");
        shards[0].Ask("third");
        shards.Advance(1);
        Assert.Equal(0UL, shards[0].Engine.Counters.JobsSentAway);
        shards.Advance(10);
        Assert.Equal(1UL, shards[0].Engine.Counters.JobsSentAway); // it has waited for grow-wait after all
        shards.DeliverAll();
        shards.Finish();
    }

    [Fact]
    public void A_shard_whose_slave_is_taken_meanwhile_sends_the_job_back_and_it_is_the_next_one()
    {
        Shards shards = Waiting();
        shards[1].Ask("its own");
        shards.DeliverAll();
        Job job = shards[0].Open.Single(job => job.Runner is null);
        Assert.Equal((JobState.Queued, 1UL), (job.State, shards[0].Engine.Counters.JobsSentBack));
        shards[0].Close(0);
        Assert.Equal(["second"], shards[0].Links[0].Jobs);
        shards.Finish();
    }

    [Fact]
    public void A_job_with_an_unfinished_request_stays_until_it_is_whole_and_the_others_pass_it()
    {
        Shards shards = new(3, One);
        shards.ReadyAll();
        shards[0].Ask("first");
        Job open = shards[0].Begin("unfinished"), urgent = shards[0].Begin("unfinished and urgent", new JobPolicy { Urgent = true });
        Job whole = shards[0].Ask("whole")!;
        shards.Advance(10);
        shards.DeliverAll();
        Assert.Equal([JobState.Queued, JobState.Queued, JobState.Away], [open.State, urgent.State, whole.State]);
        shards[0].Engine.EndRequest(open);
        shards.Advance(10);
        shards.DeliverAll();
        Assert.Equal([JobState.Away, JobState.Queued], [open.State, urgent.State]);
        shards[0].Close(0);
        Assert.Equal(JobState.Running, urgent.State); // it is the next one here
        shards.Finish();
    }

    [Fact]
    public void No_more_unfinished_requests_are_passed_than_a_look_may_cost()
    {
        Shards shards = new(2, One);
        shards.ReadyAll();
        shards[0].Ask("first");
        Job first = shards[0].Begin("unfinished");
        for (int i = 1; i < EngineLimits.RequestsLookedAt; i++)
        {
            shards[0].Begin("unfinished");
        }

        Job whole = shards[0].Ask("whole")!;
        shards.Advance(10);
        Assert.Equal(JobState.Queued, whole.State);
        shards[0].Cancel(first);
        shards.Advance(10);
        Assert.Equal(JobState.Away, whole.State);
        shards.DeliverAll();
        shards.Finish();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_job_that_waits_again_goes_away_as_any_other(bool slaveDies)
    {
        Shards shards = Waiting();
        shards[1].Ask("its own");
        shards.Advance(2); // no job waits: nobody looks any more
        if (slaveDies)
        {
            shards[0].Die(0); // its first job waits again
        }

        shards.DeliverAll();
        Assert.Equal(0, shards.Of(1).RunningGuests);
        shards[1].Close(0);
        shards.Advance(15);
        shards.DeliverAll();
        Assert.Equal(1, shards.Of(1).RunningGuests);
        shards.Finish();
    }

    [Fact]
    public void A_slave_that_dies_with_a_guest_is_charged_there_and_the_job_runs_again()
    {
        Shards shards = Overloaded(out _);
        shards[1].Die(0);
        shards[1].Ready(0);
        shards[1].Close(0);
        shards.DeliverAll();
        Assert.Equal(new JobEnd("second", 0, "", 0), Assert.Single(shards[0].Ends));
        Assert.Equal((1UL, 0UL), (shards[1].Engine.Counters.JobsRetried, shards[0].Engine.Counters.JobsRetried));
        shards.Finish();
    }

    [Fact]
    public void A_guest_that_kills_each_slave_fails_at_home()
    {
        Shards shards = Overloaded(out _);
        for (int i = 0; i < 2; i++)
        {
            shards[1].Die(0);
            shards[1].Advance(2000);
            shards[1].Ready(0);
        }

        shards.DeliverAll();
        JobEnd end = Assert.Single(shards[0].Ends);
        Assert.Equal(("second", 502), (end.Name, end.Code));
        Assert.Equal((1UL, 0UL), (shards[0].Engine.Counters.JobsFailed, shards[1].Engine.Counters.JobsFailed));
        shards.Finish();
    }

    /// <summary>Of a thousand parts, up to three are on their way at a time: none is lost or mixed up, and nothing is made anew.</summary>
    [Fact]
    public void A_streamed_answer_of_a_guest_comes_in_order_and_allocates_nothing()
    {
        Shards shards = Overloaded(out Job away);
        AwayJob runner = (AwayJob)away.Runner!;
        OrderedCaller caller = new();
        away.Caller = caller;
        HashSet<ShardMail> mails = [];
        long before = 0;
        for (int part = 0; part < 1000; part++)
        {
            if (part == 100)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            runner.OnChunk(runner.Guest!, new Payload([(byte)part, (byte)(part >> 8)]));
            shards[1].HoldUp(1);
            shards[1].Timers.Advance(shards[1].NowMs);
            while (shards.MailsFor(0) > part % 4)
            {
                _ = mails.Add(shards.Deliver(0)!);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        shards.DeliverAll();
        Assert.Equal((1000, 4), (caller.Parts, mails.Count));
        away.Caller = shards[0];
        shards[1].Close(0);
        shards.DeliverAll();
        Assert.Equal("second", Assert.Single(shards[0].Ends).Name);
        shards.Finish();
    }

    [Fact]
    public void A_caller_that_goes_away_frees_the_slave_of_its_guest()
    {
        Shards shards = Overloaded(out Job away);
        shards[0].Cancel(away);
        shards.DeliverAll();
        Assert.Equal(shards[1].Links[0].Channels, shards[1].Links[0].Cancelled);
        shards[1].Close(0); // its late answer is nobody's
        shards.DeliverAll();
        Assert.Empty(shards[0].Ends);
        Assert.Equal(1UL, shards[0].Engine.Counters.ClientsGone);
        shards.Finish();
    }

    [Fact]
    public void A_deadline_is_kept_at_home()
    {
        Shards shards = Waiting(deadlineMs: 100);
        shards.DeliverAll();
        shards.Advance(100);
        JobEnd end = Assert.Single(shards[0].Ends);
        Assert.Equal(("second", 520), (end.Name, end.Code));
        shards.DeliverAll();
        Assert.Single(shards[1].Links[0].Cancelled);
        shards.Finish();
    }

    [Fact]
    public void A_shard_without_slaves_launches_some_for_another_ones_jobs()
    {
        Shards shards = new(2, One with { PoolMinimum = 0, PoolLimit = 3 });
        shards.Advance(1);
        foreach (World world in shards.Worlds)
        {
            world.Ready(0);
        }

        for (int i = 0; i < 6; i++)
        {
            shards[0].Ask($"job {i}");
        }

        for (int i = 0; i < 20; i++)
        {
            shards.Advance(25);
            shards.DeliverAll();
            shards.ReadyAll();
        }

        Assert.Equal((3, 3), (shards[0].Links.Count, shards[1].Links.Count));
        Assert.Equal((3, 3), (shards[0].Open.Count(job => job.State == JobState.Away), shards.Of(1).RunningGuests));
        shards.Finish();
    }

    [Fact]
    public void A_stop_at_once_answers_what_is_away()
    {
        Shards shards = Overloaded(out _);
        shards[0].Engine.StopNow("the app is deleted");
        Assert.Equal([503, 503], shards[0].Ends.Select(end => end.Code));
        shards.DeliverAll();
        Assert.Single(shards[1].Links[0].Cancelled);
        shards.Finish();
    }

    /// <summary>A slave of each shard is ready; shard 0 has two jobs, one of which is on its way to shard 1.</summary>
    private static Shards Waiting(long deadlineMs = 0)
    {
        Shards shards = new(2, One);
        shards.ReadyAll();
        shards[0].Ask("first");
        shards[0].Ask("second", new JobPolicy { DeadlineMs = deadlineMs });
        shards.Advance(6);
        Assert.Equal(1, shards.MailsFor(1));
        return shards;
    }

    private static Shards Overloaded(out Job away)
    {
        Shards shards = Waiting();
        away = shards[0].Open.Single(job => job.State == JobState.Away);
        shards.DeliverAll();
        return shards;
    }

    /// <summary>Expects the numbers from 0 on, a part each.</summary>
    private sealed class OrderedCaller : IJobCaller
    {
        public int Parts { get; private set; }

        public void OnChunk(Job job, in Payload data)
        {
            if (data.Length != 2 || data.Span[0] != (byte)Parts || data.Span[1] != (byte)(Parts >> 8))
            {
                Assert.Fail($"part {Parts} is another one");
            }

            Parts++;
        }

        public void OnDone(Job job) => Assert.Fail("the answer goes on");

        public void OnFailed(Job job, in JobError error) => Assert.Fail("the answer goes on");

        public void OnRequestPressure(Job job, bool high)
        {
        }
    }
}
