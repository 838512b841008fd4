using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Tests.Simulation;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>What becomes of jobs and slaves when one of them goes, in the order that once went wrong.</summary>
public class SlaveLossTests
{
    [Fact]
    public void A_job_that_a_death_brings_back_goes_at_once_to_another_slave_with_room()
    {
        SimWorld world = World(new EngineSettings { PoolLimit = 2, PoolMinimum = 2 });
        SimLink first = world.Links[1];
        world.Submit(world.Callers[0], whole: true, default); // the one that was ready last has it
        Assert.Single(first.Channels);

        world.Die(first, "signal 9");

        Assert.Equal(0, world.Engine.Queue.Count);
        Assert.Single(world.Links[0].Channels);
    }

    [Fact]
    public void A_slave_that_is_being_killed_gets_no_job()
    {
        SimWorld world = World(new EngineSettings { PoolLimit = 1, Concurrency = 2 });
        world.Links[0].Kill("it broke the protocol");

        world.Submit(world.Callers[0], whole: true, default);

        Assert.Empty(world.Links[0].Channels);
        Assert.Equal(1, world.Engine.Queue.Count);
        world.Die(world.Links[0], "signal 9");
        world.Links[0].BecomeReady();
        Assert.Single(world.Links[0].Channels);
    }

    [Fact]
    public void A_handshake_that_comes_after_the_startup_timeout_does_not_make_a_slave_of_one_that_is_being_killed()
    {
        SimWorld world = new(1, settings: new EngineSettings { PoolLimit = 1, StartupTimeoutMs = 1000 });
        SimLink late = world.Links[0];
        world.Pass(1000);
        world.FireTimers();
        Assert.True(late.IsKilled);

        late.BecomeReady();

        world.Submit(world.Callers[0], whole: true, default);
        Assert.Empty(late.Channels);
    }

    [Fact]
    public void The_queue_timeout_of_a_job_that_is_run_again_counts_from_its_return_to_the_queue()
    {
        SimWorld world = World(new EngineSettings { PoolLimit = 1, QueueTimeoutMs = 1000 });
        world.Submit(world.Callers[0], whole: true, default);
        world.Pass(5000);
        world.Links[0].Heartbeat();
        world.Die(world.Links[0], "signal 9");
        world.Pass(900);
        world.FireTimers();

        world.Links[0].BecomeReady();

        Assert.Single(world.Links[0].Channels);
    }

    private static SimWorld World(EngineSettings settings)
    {
        SimWorld world = new(1, settings: settings);
        while (world.Links.Find(link => !link.IsReady) is { } starting)
        {
            starting.BecomeReady();
        }

        world.Pass(settings.MinUptimeMs); // they have shown that they can live
        return world;
    }
}
