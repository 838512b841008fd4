using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Which jobs are handed to the quarantine, and with what.</summary>
public class QuarantineTests
{
    private static readonly EngineSettings One = new() { PoolLimit = 1, QueueLimit = 10 };
    private readonly Kept _kept = new();

    [Fact]
    public void A_job_that_has_killed_retry_limit_and_one_more_slaves_is_quarantined_with_its_request_and_their_ends()
    {
        World world = Begin(One with { RetryLimit = 1 });
        world.Ask("kills", new JobPolicy { Urgent = true }, sizeBytes: 3);
        string first = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "signal 11");
        Assert.Empty(_kept.Lines);
        world.Ready(0);
        string second = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "exit code 3");
        Assert.Equal(
            [$"job 1 task kills urgent True whole True request 3: {first} signal 11 (the last line of 1), {second} exit code 3 (the last line of 2)"],
            _kept.Lines);
        Assert.Equal((502, 1UL), (world.Ends.Single().Code, world.Engine.Counters.JobsQuarantined));
        world.Finish();
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(5, 0)]
    public void One_slave_is_enough_for_a_job_that_is_not_run_again_and_its_request_is_kept_all_the_same(int app, int? own)
    {
        World world = Begin(One with { RetryLimit = app });
        world.Ask("kills", new JobPolicy { RetryLimit = own });
        world.Die(0);
        Assert.Contains("whole True request 4", Assert.Single(_kept.Lines));
    }

    [Fact]
    public void A_request_that_is_not_whole_is_said_not_to_be()
    {
        World world = Begin(One with { RetryLimit = 0 });
        world.Submit("kills");
        world.Chunk(0); // its answer has begun, the request is not kept any longer
        world.Die(0);
        Assert.Contains("whole False request 0", Assert.Single(_kept.Lines));
    }

    [Fact]
    public void A_job_whose_slave_was_told_to_end_or_was_silent_has_killed_nothing()
    {
        World world = Begin(One with { RetryLimit = 0, HeartbeatTimeoutMs = 1000 });
        world.Submit("silent");
        world.Advance(1000);
        world.Submit("ended");
        world.Ready(0);
        world.Links[0].Slave.Terminate("a test says so", SlaveEnd.Scaled);
        world.EndTerminated();
        Assert.Equal([504, 502], world.Ends.Select(end => end.Code));
        Assert.Empty(_kept.Lines);
    }

    [Fact]
    public void Jobs_that_were_several_on_a_slave_that_died_are_not_quarantined()
    {
        World world = Begin(One with { RetryLimit = 0, Concurrency = 3 });
        world.Submit("a");
        world.Submit("b");
        world.Die(0);
        Assert.Equal([502, 502], world.Ends.Select(end => end.Code));
        Assert.Empty(_kept.Lines);
    }

    [Fact]
    public void Of_several_jobs_the_one_that_kills_slaves_alone_is_quarantined()
    {
        World world = Begin(One with { RetryLimit = 1, Concurrency = 3 });
        world.Submit("innocent");
        world.Submit("kills");
        world.Die(0);
        world.Ready(0);
        Assert.Equal(["kills"], world.Links[0].Jobs);
        string second = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "signal 11");
        world.Ready(0);
        Assert.Equal(["innocent"], world.Links[0].Jobs);
        world.Close(0);
        Assert.Equal(["kills"], world.Links[0].Jobs);
        string third = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "signal 11");
        Assert.Equal(
            [$"job 2 task kills urgent False whole True request 4: {second} signal 11 (the last line of 2), {third} signal 11 (the last line of 3)"],
            _kept.Lines);
        Assert.Equal([("innocent", 0), ("kills", 502)], world.Ends.Select(end => (end.Name, end.Code)));
        world.Finish();
    }

    private World Begin(EngineSettings settings) => World.Begun(settings, new EngineRecords { Quarantine = _kept });

    private sealed class Kept : IQuarantine
    {
        public List<string> Lines { get; } = [];

        public void Keep(in QuarantinedJob job)
        {
            int size = 0;
            foreach (Payload chunk in job.Request)
            {
                size += chunk.Length;
            }

            IEnumerable<string> deaths = job.Deaths.Select(death => $"{death.SlaveId} {death.Cause} ({string.Join('|', death.LastLines)})");
            Lines.Add($"job {job.JobId} {job.Task} {Encoding.UTF8.GetString(job.Event)} urgent {job.Policy.Urgent} "
                + $"whole {job.IsWhole} request {size}: {string.Join(", ", deaths)}");
        }
    }
}
