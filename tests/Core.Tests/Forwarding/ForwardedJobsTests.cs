using System.Text;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Forwarding;

/// <summary>Jobs that go to other nodes, and what becomes of them there.</summary>
public class ForwardedJobsTests
{
    private static readonly EngineSettings OneSlave = new() { PoolLimit = 1, PoolMinimum = 1, Concurrency = 1, QueueLimit = 2, RetryLimit = 1 };

    private readonly World _world = World.Begun(OneSlave);
    private readonly FakePeers _peers;

    public ForwardedJobsTests()
    {
        _peers = new FakePeers(_world);
        _world.Ask("local"); // takes the only slave
    }

    private FakePeer Peer => _peers.All[0];

    [Fact]
    public void A_job_goes_only_when_no_slave_is_free_and_its_task_may()
    {
        _world.Close(0);
        Assert.Equal(0, _peers.Jobs);
        _world.Ask("free slot");
        Assert.Empty(_peers.Asked);
        _world.Task.MayForward = false;
        _world.Ask("may not");
        Assert.Empty(_peers.Asked);
        _world.Task.MayForward = true;
        Job job = _world.Ask("goes")!;
        Assert.Equal((JobState.Away, 1, 4, 1UL), (job.State, _peers.Jobs, Peer.RequestBytes, _world.Engine.Counters.JobsForwarded));
        _world.AssertCounts();
    }

    [Fact]
    public void The_forwarder_is_told_what_the_job_would_find_here()
    {
        _peers.Choice = _ => null;
        _world.Ask("first waits");
        _world.Ask("second waits");
        _world.Ask("urgent", new JobPolicy { Urgent = true });
        Assert.Equal([0, 1, 0], _peers.Asked.ConvertAll(own => own.Ahead));
        Assert.Equal([false, false, true], _peers.Asked.ConvertAll(own => own.IsRefused));
        Assert.Equal(503, _world.LastRefusal);
        Assert.All(_peers.Asked, own => Assert.Equal(1, own.Slots));
    }

    [Fact]
    public void A_full_queue_refuses_nothing_that_a_peer_takes()
    {
        _peers.Choice = own => own.IsRefused ? Peer : null;
        for (int i = 0; i < 10; i++)
        {
            Assert.NotNull(_world.Ask("job"));
        }

        Assert.Equal((2, 8, 0UL), (_world.Engine.Queue.Count, _peers.Jobs, _world.Engine.Counters.JobsRejected));
    }

    [Fact]
    public void The_answer_comes_back_chunk_by_chunk_and_once()
    {
        Job job = _world.Ask("goes")!;
        Peer.Chunk(job);
        Assert.True(job.HasAnswerBegun);
        Peer.Close(job);
        Assert.Equal(("goes", 0), (_world.Ends.Single().Name, _world.Ends.Single().Code));
        _world.AssertCounts();
    }

    [Fact]
    public void A_refused_job_waits_here_as_the_next_one()
    {
        _peers.Choice = own => _peers.Asked.Count == 1 ? Peer : null;
        Job job = _world.Ask("goes")!;
        _world.Ask("waits");
        Peer.Refuse(job);
        Assert.Equal((JobState.Queued, 0, 1UL), (job.State, job.Runs, _world.Engine.Counters.JobsForwardRefused));
        _world.AssertCounts();
        _world.CloseOne(_world.Links[0]);
        Assert.Equal(["goes"], _world.Links[0].Jobs);
    }

    [Fact]
    public void A_refused_job_fails_when_the_queue_is_full()
    {
        _peers.Choice = own => _peers.Asked.Count == 1 ? Peer : null;
        Job job = _world.Ask("goes")!;
        _world.Ask("waits");
        _world.Ask("waits too");
        Peer.Refuse(job);
        Assert.Equal(("goes", 503), (_world.Ends.Single().Name, _world.Ends.Single().Code));
        _world.AssertCounts();
    }

    [Fact]
    public void More_of_a_request_goes_to_the_peer_and_comes_back_with_the_job()
    {
        Job job = _world.Begin("streams");
        _world.More(job, 100);
        _world.More(job, 200);
        Assert.Equal((300, 0), (Peer.RequestBytes, Peer.Whole));
        _world.Engine.EndRequest(job);
        Assert.Equal(1, Peer.Whole);
        Peer.Refuse(job);
        Assert.Equal((JobState.Queued, true), (job.State, job.Request.SizeBytes > 300));
        _world.CloseOne(_world.Links[0]);
        Assert.Equal(["streams"], _world.Links[0].Jobs);
        Assert.Equal([4, 100, 200], _world.Links[0].ChunkSizes);
    }

    [Theory]
    [InlineData(PeerEnd.Closed, false, false, 0)]
    [InlineData(PeerEnd.Closed, true, false, 0)]
    [InlineData(PeerEnd.Silent, true, false, 0)]
    [InlineData(PeerEnd.Silent, false, false, 502)]
    [InlineData(PeerEnd.Closed, true, true, 502)]
    [InlineData(PeerEnd.Silent, true, true, 502)]
    internal void A_lost_job_runs_again_when_it_may_and_fails_with_502_otherwise(PeerEnd end, bool idempotent, bool begun, int code)
    {
        Job job = _world.Ask("goes", new JobPolicy { Idempotent = idempotent })!;
        if (begun)
        {
            Peer.Chunk(job);
        }

        Peer.Go(end);
        _world.AssertCounts();
        _world.CloseOne(_world.Links[0]);
        if (code == 0)
        {
            Assert.Equal(["goes"], _world.Links[0].Jobs);
            _world.CloseOne(_world.Links[0]);
        }

        Assert.Equal(code, _world.Ends.Single(one => one.Name == "goes").Code);
        if (end == PeerEnd.Silent && !idempotent)
        {
            Assert.Contains("node n0 is unreachable; the job may or may not have run", _world.Ends.Single(one => one.Code == 502).Reason);
        }
    }

    [Fact]
    public void A_job_that_may_run_once_does_not_run_again()
    {
        _world.Ask("goes", new JobPolicy { RetryLimit = 0, Idempotent = true });
        Peer.Go(PeerEnd.Closed);
        Assert.Equal(502, _world.Ends.Single().Code);
    }

    [Fact]
    public void Cancels_and_deadlines_go_to_the_peer_and_its_late_answer_goes_nowhere()
    {
        Job gone = _world.Ask("gone")!;
        ulong first = gone.Id;
        _world.Cancel(gone);
        Job late = _world.Ask("late", new JobPolicy { DeadlineMs = 50 })!;
        ulong second = late.Id;
        _world.Advance(60);
        Assert.Equal([first, second], Peer.Cancelled);
        Assert.Equal(520, _world.Ends.Single().Code);
        Assert.Equal(JobState.Free, late.State);
        _world.AssertCounts();
    }

    [Fact]
    public void A_stop_ends_the_jobs_at_peers_and_a_drain_waits_for_them()
    {
        Job job = _world.Ask("goes")!;
        bool stopped = false;
        _world.Engine.Drain(() => stopped = true);
        _world.CloseOne(_world.Links[0]);
        Assert.False(stopped);
        _world.Engine.StopNow("the test stops it");
        Assert.Equal(503, _world.Ends.Single(one => one.Name == "goes").Code);
        Assert.Equal(JobState.Free, job.State);
        _world.AssertCounts();
    }

    [Fact]
    public void The_mean_is_that_of_the_slaves_here()
    {
        Job job = _world.Ask("goes")!;
        _world.Advance(10);
        _world.CloseOne(_world.Links[0]);
        _world.Advance(1000);
        Peer.Close(job);
        Assert.Equal(new LoadReport(Slots: 1, Running: 0, Queued: 0, MeanNs: 10_000_000), _world.Engine.Forwarded.Load);
    }

    [Fact]
    public void The_record_names_the_node_until_the_job_runs_here()
    {
        byte[] record = new byte[LedgerLayout.RecordSizeBytes];
        LedgerRecord.WriteArrival(record, 0, 5, "task"u8, "event"u8);
        Assert.Null(LedgerRecord.Read(record, 1, isEnded: false).Node);
        LedgerRecord.WriteNode(record, Encoding.UTF8.GetBytes(new string('n', 40)));
        BitConverter.GetBytes(RunWord.Of(0, 1, -1).Value).CopyTo(record, LedgerLayout.SlaveOffset);
        LedgerRecord.WriteEnd(record, 9, JobOutcome.Failed, 1000, 502, Encoding.UTF8.GetBytes(new string('t', 200)));
        LedgerEntry entry = LedgerRecord.Read(record, 1, isEnded: true);
        Assert.Equal((new string('n', LedgerLayout.MaxNodeBytes), null), (entry.Node, entry.Slave));
        Assert.Equal(new string('t', LedgerLayout.MaxForwardedTextBytes), entry.Text);
        BitConverter.GetBytes(RunWord.Of(0xabc, 2, -1).Value).CopyTo(record, LedgerLayout.SlaveOffset);
        Assert.Equal((null, "00000abc"), (LedgerRecord.Read(record, 1, isEnded: true).Node, LedgerRecord.Read(record, 1, isEnded: true).Slave));
        LedgerRecord.WriteArrival(record, 0, 5, "task"u8, "event"u8);
        LedgerRecord.WriteEnd(record, 9, JobOutcome.Failed, 1000, 502, Encoding.UTF8.GetBytes(new string('t', 200)));
        Assert.Equal(LedgerLayout.MaxTextBytes, LedgerRecord.Read(record, 2, isEnded: true).Text.Length);
    }
}
