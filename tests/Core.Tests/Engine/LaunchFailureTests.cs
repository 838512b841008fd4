using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>A slave that cannot even be launched, whatever the backend throws.</summary>
public class LaunchFailureTests
{
    private static readonly EngineSettings Settings = new() { PoolLimit = 4, QueueLimit = 0, HeartbeatTimeoutMs = 1_000_000 };

    public static TheoryData<Exception> Failures =>
        [new IOException("eventfd: Too many open files"), new OutOfMemoryException("no thread"), new InvalidOperationException("a fault")];

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_launch_that_throws_is_a_failed_start_with_its_cause_and_the_submit_goes_on(Exception failure)
    {
        World world = World.Begun(Settings);
        world.Submit("runs on the first slave");
        world.LaunchFailure = failure;
        world.Submit("waits: the pool cannot grow"); // the launch happens within the submit, which does not throw
        Assert.Equal((0ul, 1), (world.Engine.Counters.SlaveStartFailures, world.Engine.Queue.Count));
        world.Advance(1);
        Assert.Equal(1ul, world.Engine.Counters.SlaveStartFailures);
        Assert.Contains(failure.Message, world.Engine.Pool.LastFailure);
        world.LaunchFailure = null;
        world.Advance(1000);
        world.Ready(0);
        while (world.Busy)
        {
            world.Close(0);
        }

        Assert.Equal(2ul, world.Engine.Counters.JobsDone);
        world.Finish();
    }

    [Fact]
    public void An_unlaunched_slave_may_be_terminated_killed_and_shown_like_any_other()
    {
        World world = World.Begun(Settings);
        world.Submit("runs");
        world.LaunchFailure = new IOException("no");
        world.Submit("waits");
        Slave unlaunched = Assert.Single(world.Engine.Pool.Roster.Slaves, slave => slave.State == SlaveState.Starting);
        Assert.Equal((0, "none"), (unlaunched.Link.ProcessId, unlaunched.Link.Kind));
        unlaunched.Link.Kill("asked");
        unlaunched.Terminate("asked", SlaveEnd.Scaled);
        world.Advance(1);
        Assert.Equal(SlaveState.Dead, unlaunched.State);
        world.LaunchFailure = null;
        world.Finish();
    }
}
