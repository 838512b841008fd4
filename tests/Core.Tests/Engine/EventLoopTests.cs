using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Workers with an event loop, which run several jobs at once by their own wish.</summary>
public class EventLoopTests
{
    private const int Wish = 64;

    [Fact]
    public void Jobs_that_wait_side_by_side_need_one_slave()
    {
        World world = Begun(out FakeLink link);
        for (int i = 0; i < 50; i++)
        {
            world.Ask($"j{i}");
        }

        Assert.Equal(50, link.Slave.Load);
        link.BegunWord = link.Channels[^1]; // each was begun, and awaits something
        Pass(world, 1000);
        Assert.Single(world.Links);
        Assert.Equal(0ul, world.Engine.Counters.JobsTakenBack);
        world.Finish();
    }

    [Fact]
    public void Where_the_manifest_says_a_number_the_wish_does_not_count()
    {
        World world = new(new EngineSettings { PoolLimit = 1, Concurrency = 1, QueueLimit = 0 });
        Assert.False(new EngineSettings().IsConcurrencySet);
        Assert.True(world.Engine.Settings.IsConcurrencySet);
    }

    [Fact]
    public void What_stands_behind_a_handler_that_computes_goes_to_a_slave_with_room()
    {
        World world = Begun(out FakeLink link, slaves: 2);
        FakeLink other = world.Links.Single(one => one != link);
        Ask(world, 8);
        link.BegunWord = link.Channels[0]; // and computes in it
        other.BegunWord = other.Channels[^1];

        Pass(world, 2 * EngineLimits.MostStandingMs);
        other.BegunWord = other.Channels[^1];
        Assert.Equal((1, 7), (link.Slave.Load, other.Slave.Load));
        Ask(world, 3);
        Assert.Equal((1, 10), (link.Slave.Load, other.Slave.Load)); // new ones do not go behind it either
        other.BegunWord = other.Channels[^1];
        world.CloseOne(link);
        Ask(world, 1);
        Assert.Equal(1, link.Slave.Load); // it goes on
        world.Finish();
    }

    [Fact]
    public void Jobs_behind_a_handler_that_computes_start_another_slave_which_takes_half_of_them()
    {
        World world = Begun(out FakeLink link, limit: 3);
        Ask(world, 9);
        link.BegunWord = link.Channels[0];

        Pass(world, world.Engine.Settings.GrowWaitMs + 3);
        Assert.Equal(2, world.Links.Count); // one at a time
        FakeLink second = world.Links[1];
        second.BegunWord = 1;
        world.Ready(0, Wish);
        Assert.Equal((5, 4), (link.Slave.Load, second.Slave.Load));
        second.BegunWord = second.Channels[0];
        Pass(world, world.Engine.Settings.GrowWaitMs + 3);
        Assert.Equal(3, world.Links.Count);
        Assert.Equal(9, world.Links.Sum(one => one.Slave.Load));
        world.Finish();
    }

    [Fact]
    public void A_short_stall_of_the_only_slave_starts_no_other_and_refuses_nothing()
    {
        World world = Begun(out FakeLink link, limit: 3, queue: 2);
        Ask(world, 5);
        link.BegunWord = link.Channels[0];
        Pass(world, 2 * EngineLimits.MostStandingMs);
        Ask(world, 20); // more than the queue takes
        Assert.Equal(0ul, world.Engine.Counters.JobsRejected);
        link.BegunWord = link.Slave.Channels.Last;
        Pass(world, EngineLimits.HeldUpNs / 1_000_000 + 2);
        Assert.Equal((25, 0), (link.Slave.Load, world.Engine.Queue.Count));
        Assert.Single(world.Links);
        world.Finish();
    }

    /// <summary>The looks at the slaves come one by one.</summary>
    private static void Pass(World world, long ms)
    {
        for (long i = 0; i < ms; i++)
        {
            world.Advance(1);
        }
    }

    private static void Ask(World world, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.NotNull(world.Ask("job"));
        }
    }

    /// <summary>Slaves that are ready, have done a job, and tell what they have begun.</summary>
    private static World Begun(out FakeLink link, int slaves = 1, int limit = 0, int queue = 1000)
    {
        World world = new(new EngineSettings { PoolLimit = Math.Max(slaves, limit), PoolMinimum = slaves, QueueLimit = queue }) { SlavesTell = true };
        foreach (FakeLink one in world.Links.ToArray())
        {
            one.BegunWord = 1;
            world.Ready(0, Wish);
        }

        link = world.Links[0];
        Assert.Equal((slaves, Wish), (world.Links.Count, world.Engine.Scope.Concurrency));
        for (int i = 0; i < slaves; i++)
        {
            world.Ask("first");
        }

        foreach (FakeLink one in world.Links)
        {
            one.BegunWord = one.Channels.Count > 0 ? one.Channels[^1] : 1;
            if (one.Channels.Count > 0)
            {
                world.CloseOne(one);
            }
        }

        world.Advance(20); // as long after as in an idle app
        return world;
    }
}
