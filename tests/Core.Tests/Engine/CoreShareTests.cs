using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Quick jobs keep to as many slaves as there are cores, and no job waits for long because others sleep.</summary>
public class CoreShareTests
{
    private const int Cores = 2, Slaves = 4;

    private static readonly EngineSettings Settings = new()
    {
        PoolLimit = Slaves,
        PoolMinimum = Slaves,
        QueueLimit = 100,
        SuicideTimeoutMs = 1_000_000_000,
    };

    [Fact]
    public void Quick_jobs_leave_slaves_above_the_cores_asleep()
    {
        World world = Few();
        HashSet<FakeLink> used = [];
        for (int i = 0; i < 50; i++)
        {
            Turn(world, few: 20, all: 10, used);
        }

        Assert.Equal(Cores, used.Count);
        world.Finish();
    }

    [Fact]
    public void A_request_that_is_not_whole_at_the_end_of_the_turn_wakes_a_slave()
    {
        World world = Few();
        while (world.Engine.Queue.Unplaced > 0)
        {
            world.CloseOne(world.Links.First(link => link.Slave.Load > 0));
        }

        Job open = world.Begin("open");
        Assert.Equal(JobState.Queued, open.State);
        world.Advance(0);
        Assert.Equal(JobState.Running, open.State);
        Assert.Equal(Slaves - Cores - 1, world.Engine.Pool.Roster.Idle);
        world.Engine.EndRequest(open);
        world.Finish();
    }

    [Fact]
    public void A_job_for_which_the_queue_has_no_room_wakes_a_slave()
    {
        World world = Few();
        int sleeping = world.Engine.Pool.Roster.Idle;
        while (world.Engine.Queue.Count < Settings.QueueLimit)
        {
            Assert.NotNull(world.Ask("fills"));
        }

        Assert.Equal(sleeping, world.Engine.Pool.Roster.Idle);
        Assert.NotNull(world.Ask("more"));
        Assert.Equal(0, world.Engine.Pool.Roster.Idle);
        world.Finish();
    }

    [Fact]
    public void Slaves_that_end_nothing_leave_their_cores_to_others()
    {
        World world = Few();
        FakeLink[] awake = [.. world.Links.Where(link => link.Slave.Load > 0)];
        foreach (FakeLink link in awake)
        {
            link.BegunWord = link.Channels[0];
        }

        for (int i = 0; i < 10; i++)
        {
            world.Advance(1);
        }

        Assert.Equal(Slaves, world.Links.Count(link => link.Slave.Load > 0));
        Assert.All(awake, link => Assert.Equal(0, link.Slave.Ahead.Count));
        world.Finish();
    }

    [Fact]
    public void Slow_jobs_get_every_slave()
    {
        World world = Begun();
        HashSet<FakeLink> used = [];
        for (int i = 0; i < 50; i++)
        {
            used.Clear();
            Turn(world, few: 2, all: 4, used);
        }

        Assert.Equal(Slaves, used.Count);
        world.Finish();
    }

    [Fact]
    public void With_as_many_cores_as_slaves_all_of_them_get_jobs_unless_more_end_with_half_of_them()
    {
        World world = Begun(cores: Slaves);
        HashSet<FakeLink> used = [];
        for (int i = 0; i < 100; i++)
        {
            used.Clear();
            Turn(world, few: 10, all: 20, used);
        }

        Assert.Equal(Slaves, used.Count);
        for (int i = 0; i < 1000; i++)
        {
            used.Clear();
            Turn(world, few: 20, all: 10, used);
        }

        Assert.Equal(Slaves / 2, used.Count);
        world.Finish();
    }

    private static World Begun(int cores = Cores)
    {
        World world = new(Settings, cores: cores) { SlavesTell = true };
        world.Advance(1);
        for (int i = 0; i < Slaves; i++)
        {
            world.Ready(0);
        }

        foreach (FakeLink link in world.Links)
        {
            link.BegunWord = 1;
        }

        return world;
    }

    /// <summary>A world in which more jobs end where few slaves have them; jobs wait, and two slaves sleep.</summary>
    private static World Few()
    {
        World world = Begun();
        for (int i = 0; i < 300; i++) // the next trial is far away by then
        {
            Turn(world, few: 20, all: 10, []);
        }

        Assert.Equal(Slaves - Cores, world.Engine.Pool.Roster.Idle);
        return world;
    }

    /// <summary>A millisecond in which so many jobs end, by the slaves that have some, and others come.</summary>
    private static void Turn(World world, int few, int all, HashSet<FakeLink> used)
    {
        while (world.Engine.Queue.Count < 40)
        {
            Assert.NotNull(world.Ask("quick"));
        }

        FakeLink[] busy = [.. world.Links.Where(link => link.Channels.Count > 0)];
        used.UnionWith(busy);
        world.HoldUp(1);
        int ends = busy.Length <= Cores ? few : all;
        for (int i = 0; i < ends; i++)
        {
            if (busy[i % busy.Length] is { Channels.Count: > 0 } link)
            {
                link.BegunWord = Math.Max(link.BegunWord, link.Channels[0]);
                world.CloseOne(link);
            }
        }

        world.Advance(0);
    }
}
