using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Callers that were asked to wait, because a slave does not take their requests, are told to go on.</summary>
public class RequestPressureTests
{
    private const int LongBytes = 1000;
    private static readonly EngineSettings One = new() { PoolLimit = 1, QueueLimit = 10, RetryLimit = 1 };

    [Fact]
    public void The_slave_dies_and_the_job_is_run_again()
    {
        World world = Pressed(out Job job);
        world.Die(0);
        Assert.Equal(JobState.Queued, job.State);
        Assert.Equal([true, false], world.Pressure); // nobody else would let the caller go on with its request
        world.Ready(0);
        Assert.Equal(JobState.Running, job.State);
        world.Finish();
        Assert.Equal([true, false], world.Pressure);
        Assert.Equal([0], world.Outcomes);
    }

    [Fact]
    public void The_next_slave_may_press_it_anew()
    {
        World world = Pressed(out Job job);
        world.Die(0);
        world.Links[0].Backlog = EngineLimits.HighBacklogBytes + 1;
        world.Ready(0);
        world.More(job, LongBytes);
        Assert.Equal([true, false, true], world.Pressure);
        world.Finish();
        Assert.Equal([0], world.Outcomes);
    }

    [Fact]
    public void The_slave_dies_for_the_last_time_and_the_job_fails()
    {
        World world = Pressed(out _, new JobPolicy { RetryLimit = 0 });
        world.Die(0);
        Assert.Equal([502], world.Outcomes); // its end is what the caller hears
        world.Finish();
    }

    /// <summary>A job whose request goes on, and whose slave has so much to take that the caller was asked to wait.</summary>
    private static World Pressed(out Job job, in JobPolicy policy = default)
    {
        World world = World.Begun(One);
        job = world.Begin("upload", in policy);
        world.Links[0].Backlog = EngineLimits.HighBacklogBytes + 1;
        world.More(job, LongBytes);
        Assert.Equal([true], world.Pressure);
        return world;
    }
}
