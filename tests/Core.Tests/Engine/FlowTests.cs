using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Holds of one job's answer or request, between the engine and a worker with flow control.</summary>
public class FlowTests
{
    private const int LongBytes = EngineLimits.HighBacklogBytes + 1;
    private static readonly EngineSettings Two = new() { PoolLimit = 1, QueueLimit = 10, Concurrency = 2, RetryLimit = 1 };

    [Fact]
    public void The_answer_of_one_job_is_held_and_goes_on_and_the_other_job_is_not_touched()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("slow");
        world.Begin("other");
        Answer(link, job);
        Assert.True(link.Slave.HoldBack(job.SlaveChannel));
        Assert.True(link.Slave.HoldBack(job.SlaveChannel)); // said once
        link.Slave.LetGo(job.SlaveChannel);
        link.Slave.LetGo(job.SlaveChannel);
        Assert.Equal([(job.SlaveChannel, true), (job.SlaveChannel, false)], link.Flow);
        Assert.False(link.Slave.IsHeldBack);
        world.Finish();
    }

    [Fact]
    public void A_hold_is_forgotten_with_its_job()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("slow");
        ulong channel = job.SlaveChannel;
        Answer(link, job);
        Assert.True(link.Slave.HoldBack(channel));
        world.Cancel(job);
        link.Slave.LetGo(channel); // cancelled, and its worker has not ended it
        world.CloseOne(link);
        link.Slave.LetGo(channel); // gone
        Assert.Equal([(channel, true)], link.Flow);
        world.Finish();
    }

    [Fact]
    public void A_job_that_is_held_for_its_caller_is_not_silent()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("slow", new JobPolicy { SilenceTimeoutMs = 1000 });
        Answer(link, job);
        link.Slave.HoldBack(job.SlaveChannel);
        Live(world, link, 5000);
        Assert.Empty(world.Outcomes);
        link.Slave.LetGo(job.SlaveChannel); // from here on it counts
        world.Advance(999);
        Assert.Empty(world.Outcomes);
        world.Advance(1001);
        Assert.Equal([504], world.Outcomes);
        world.Finish();
    }

    [Fact]
    public void The_rest_of_a_request_is_kept_while_its_handler_does_not_read_and_comes_in_its_order()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        world.More(job, 10);
        Tell(link, job.SlaveChannel, hold: true);
        world.More(job, 20);
        world.More(job, 30);
        world.Engine.EndRequest(job);
        Assert.Equal([10], link.ChunkSizes);
        Assert.Empty(link.Closed);
        Tell(link, job.SlaveChannel, hold: false);
        Assert.Equal([10, 20, 30], link.ChunkSizes);
        Assert.Equal([job.SlaveChannel], link.Closed);
        world.Finish();
    }

    [Fact]
    public void The_caller_of_a_held_request_waits_when_much_is_kept_until_its_handler_reads()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        Tell(link, job.SlaveChannel, hold: true);
        world.More(job, LongBytes / 2);
        Assert.Empty(world.Pressure);
        world.More(job, LongBytes / 2);
        Assert.Equal([true], world.Pressure);
        link.Slave.Pressure.Ease(); // the slave has room: this is not what the caller waits for
        Assert.Equal([true], world.Pressure);
        Tell(link, job.SlaveChannel, hold: false);
        Assert.Equal([true, false], world.Pressure);
        world.Finish();
    }

    [Fact]
    public void Kept_chunks_go_on_in_portions_and_a_hold_stops_them()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        Tell(link, job.SlaveChannel, hold: true);
        for (int i = 0; i < 6; i++)
        {
            world.More(job, (EngineLimits.RequestPortionBytes / 2) + i);
        }

        world.HoldUp(20);
        Tell(link, job.SlaveChannel, hold: false);
        Assert.Equal(2, link.ChunkSizes.Count);
        world.More(job, 7); // behind the kept ones
        link.Read();
        Assert.Equal(4, link.ChunkSizes.Count);
        Tell(link, job.SlaveChannel, hold: true);
        link.Read();
        Assert.Equal(4, link.ChunkSizes.Count);
        world.HoldUp(20);
        Tell(link, job.SlaveChannel, hold: false);
        Assert.Equal(6, link.ChunkSizes.Count);
        link.Read();
        Assert.Equal(7, link.ChunkSizes.Count);
        world.More(job, 8); // the last portion had room for more
        Assert.Equal(8, link.ChunkSizes.Count);
        world.Engine.EndRequest(job);
        Assert.Equal([job.SlaveChannel], link.Closed);
        Assert.Equal([.. Enumerable.Range(0, 6).Select(i => (EngineLimits.RequestPortionBytes / 2) + i), 7, 8], link.ChunkSizes);
        world.Finish();
    }

    /// <summary>A quick handler would wait for the node between small portions.</summary>
    [Theory]
    [InlineData(0, 20)]
    [InlineData(1, 12)]
    [InlineData(4, 3)]
    [InlineData(8, 2)]
    [InlineData(1000, 1)]
    public void A_portion_is_what_the_handler_reads_in_a_few_milliseconds(int heldMs, int portions)
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        Tell(link, job.SlaveChannel, hold: true);
        for (int i = 0; i < 20; i++)
        {
            world.More(job, EngineLimits.RequestPortionBytes);
        }

        world.HoldUp(heldMs);
        link.Heartbeat();
        Tell(link, job.SlaveChannel, hold: false);
        Assert.Equal(portions, link.ChunkSizes.Count);
        world.Close(job);
        world.Finish();
    }

    /// <summary>The caller is the slower one: what it sends goes through as before.</summary>
    [Fact]
    public void A_request_of_which_nothing_is_kept_any_more_goes_as_it_comes()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        Tell(link, job.SlaveChannel, hold: true);
        world.More(job, EngineLimits.RequestPortionBytes);
        world.HoldUp(20);
        Tell(link, job.SlaveChannel, hold: false);
        world.More(job, 2);
        Assert.Single(link.ChunkSizes);
        link.Read();
        Assert.False(link.ReadAsked);
        world.More(job, 3);
        Assert.Equal([EngineLimits.RequestPortionBytes, 2, 3], link.ChunkSizes);
        world.Finish();
    }

    [Fact]
    public void A_slave_that_is_behind_gets_no_portion_and_each_request_has_its_turn()
    {
        World world = Begun(out FakeLink link);
        Job[] jobs = [world.Begin("first"), world.Begin("second")];
        foreach (Job job in jobs)
        {
            Tell(link, job.SlaveChannel, hold: true);
            for (int i = 0; i < 3; i++)
            {
                world.More(job, EngineLimits.RequestPortionBytes + (job == jobs[0] ? 1 : 2));
            }

            world.HoldUp(20);
            Tell(link, job.SlaveChannel, hold: false);
        }

        link.Backlog = EngineLimits.HighBacklogBytes + 1;
        link.Read();
        Assert.Equal(2, link.ChunkSizes.Count);
        link.Backlog = 0;
        link.Read();
        link.Read();
        Assert.Equal([1, 2, 1, 2, 1, 2], link.ChunkSizes.Select(size => size - EngineLimits.RequestPortionBytes));
        world.Finish();
    }

    [Fact]
    public void A_job_that_leaves_while_it_goes_on_is_passed_over()
    {
        World world = Begun(out FakeLink link);
        Job cancelled = world.Begin("cancelled"), ended = world.Begin("ended");
        foreach (Job job in (Job[])[cancelled, ended])
        {
            Tell(link, job.SlaveChannel, hold: true);
            world.More(job, EngineLimits.RequestPortionBytes);
            world.More(job, EngineLimits.RequestPortionBytes);
            world.HoldUp(20);
            Tell(link, job.SlaveChannel, hold: false);
        }

        world.Cancel(cancelled);
        world.Close(ended);
        link.Read();
        Assert.Equal(2, link.ChunkSizes.Count);
        Assert.False(link.ReadAsked);
        world.Finish();
    }

    [Fact]
    public void A_caller_that_does_not_wait_fails_alone()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        world.Begin("other");
        Tell(link, job.SlaveChannel, hold: true);
        for (long sent = 0; sent <= EngineLimits.MaxBacklogBytes; sent += 16 << 20)
        {
            world.More(job, 16 << 20);
        }

        Assert.Equal([503], world.Outcomes);
        Assert.Equal(0, job.KeptRequest.SizeBytes);
        world.Finish();
    }

    [Fact]
    public void A_cancel_overtakes_the_kept_chunks_and_the_slave_is_told_the_end_when_its_handler_ends_first()
    {
        World world = Begun(out FakeLink link);
        Job cancelled = world.Begin("cancelled"), ended = world.Begin("ended");
        foreach (Job job in (Job[])[cancelled, ended])
        {
            Tell(link, job.SlaveChannel, hold: true);
            world.More(job, 10);
        }

        ulong channel = ended.SlaveChannel;
        world.Cancel(cancelled);
        Assert.Equal([cancelled.SlaveChannel], link.Cancelled);
        world.Close(ended);
        Assert.Equal([channel], link.Closed);
        Assert.Empty(link.ChunkSizes);
        world.Finish();
    }

    [Fact]
    public void A_job_that_runs_again_begins_with_nothing_kept_or_held()
    {
        World world = Begun(out FakeLink link);
        Job job = world.Begin("upload");
        world.More(job, 10);
        Tell(link, job.SlaveChannel, hold: true);
        world.More(job, 20);
        world.Die(link);
        world.Links[0].KnowsFlow = true;
        world.Ready(0);
        world.More(job, 30);
        Assert.Equal([10, 20, 30], world.Links[0].ChunkSizes);
        world.Finish();
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    [InlineData(7UL)]
    [InlineData(ulong.MaxValue)]
    public void A_hold_of_a_channel_that_is_not_there_means_nothing(ulong channel)
    {
        World world = Begun(out FakeLink link);
        world.Begin("job");
        Tell(link, channel, hold: true);
        Tell(link, channel, hold: false);
        world.Finish();
    }

    [Theory]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x92, 2, 2 })]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x91, 2 })]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x90 })]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x93, 2, 1, 0 })]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x92, 0xff, 1 })]
    [InlineData(true, new byte[] { 0x93, 1, 2, 0x92, 0xa1, 0x32, 1 })]
    [InlineData(false, new byte[] { 0x93, 1, 2, 0x92, 2, 1 })] // a worker that has not offered it
    public void Other_messages_of_flow_control_break_the_protocol(bool hasFlow, byte[] bytes)
    {
        World world = Begun(out FakeLink link);
        link.KnowsFlow = hasFlow;
        world.Begin("job");
        MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
        Assert.False(link.Slave.OnMessage(new MessageView(in layout, bytes), out string? fault));
        Assert.NotNull(fault);
        world.Finish();
    }

    private static World Begun(out FakeLink link)
    {
        World world = World.Begun(Two);
        link = world.Links[0];
        link.KnowsFlow = true;
        return world;
    }

    private static void Answer(FakeLink link, Job job)
    {
        ulong channel = job.SlaveChannel;
        link.Say(sink => MessageWriter.WriteChunk(sink, channel, new Payload("x"u8), bin: true));
    }

    private static void Tell(FakeLink link, ulong channel, bool hold) =>
        link.Say(sink => MessageWriter.WriteFlow(sink, MessageWriter.ControlChannel, channel, hold));

    /// <summary>Time passes, and the slave beats.</summary>
    private static void Live(World world, FakeLink link, long ms)
    {
        for (; ms > 0; ms -= 500)
        {
            world.HoldUp(500);
            link.Heartbeat();
            world.Advance(0);
        }
    }
}
