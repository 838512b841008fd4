using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Sharing;

/// <summary>The starts of an app on several loops are those of one app: its first slaves, its failures, its pauses and its tries.</summary>
public class SharedStartsTests
{
    private const int Loops = 4;

    private static readonly EngineSettings Settings = new()
    {
        PoolLimit = 2,
        QueueLimit = 0,
        RetryLimit = 5,
        StartupTimeoutMs = 1_000_000,
        HeartbeatTimeoutMs = 1_000_000,
        SuicideTimeoutMs = 1_000_000,
    };

    [Theory]
    [InlineData(1)] // the first slave alone
    [InlineData(2)] // jobs wait on the further loops too
    [InlineData(Loops)]
    public void Failing_starts_are_tried_as_often_as_on_one_loop(int busy)
    {
        Assert.Equal(Tries(Shards.Fresh(1, Settings), 1), Tries(Shards.Fresh(Loops, Settings), busy));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void In_every_order_of_messages_there_is_one_try_at_a_time_and_all_have_their_slaves_once_starts_are_good(ulong first)
    {
        for (ulong seed = first * 1000; seed < (first * 1000) + 200; seed++)
        {
            SimRandom random = new(seed);
            Shards shards = Shards.Fresh(random.Between(2, 5), Settings);
            try
            {
                Fail(shards, random);
                Recover(shards, random);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}\n{string.Join('\n', shards.Worlds.Select(Describe))}", failure);
            }
        }
    }

    [Fact]
    public void An_app_is_broken_on_all_its_loops_and_well_again_on_all()
    {
        Shards shards = Shards.Fresh(Loops, Settings);
        for (int i = 0; i < EngineLimits.FailuresUntilBroken; i++)
        {
            Assert.Equal(1, Starting(shards));
            EndAll(shards);
            shards.Advance(EngineLimits.MaxRestartPauseMs);
        }

        Assert.All(shards.Worlds, world => Assert.True(world.Engine.Pool.IsBroken));
        shards[3].Submit("refused");
        Assert.Equal(500, shards[3].LastRefusal);
        shards.ReadyAll();
        shards.Advance(Settings.MinUptimeMs + 1);
        shards.DeliverAll();
        Assert.All(shards.Worlds, world => Assert.Equal((0, false), (world.Engine.Pool.Starts.Failures, world.Engine.Pool.IsBroken)));
        Assert.Equal(1, shards.Worlds.Sum(world => world.Links.Count)); // the app needs no more
        shards.Finish();
    }

    [Fact]
    public void A_loop_without_a_slave_is_not_broken_while_another_loop_has_one_with_nothing_to_do()
    {
        Shards shards = Shards.Fresh(2, Settings);
        shards[0].Ready(0);
        shards.Advance(Settings.MinUptimeMs + 1);
        for (int i = 0; i < 2 * EngineLimits.FailuresUntilBroken; i++)
        {
            Job job = shards[1].Ask("first")!; // its shard has no slave, and cannot start one
            while (shards[1].Links.Count > 0)
            {
                shards[1].Die(0);
            }

            shards.Advance(EngineLimits.MaxRestartPauseMs);
            shards.DeliverAll();
            Assert.Equal(JobState.Away, job.State);
            shards[0].Close(0);
            shards.DeliverAll();
            Assert.Equal(0, shards[1].Ends[^1].Code);
        }

        Assert.True(shards[1].Engine.Pool.Starts.IsFailing);
        shards.Finish();
    }

    [Fact]
    public void A_loop_whose_try_is_told_to_end_passes_the_turn_on()
    {
        Shards shards = Shards.Fresh(2, Settings with { PoolLimit = 3, PoolMinimum = 2 });
        shards[1].Submit("waits");
        EndAll(shards);
        shards[0].Advance(EngineLimits.FirstRestartPauseMs); // its turn
        shards[1].Advance(EngineLimits.FirstRestartPauseMs);
        Assert.Equal([1, 0], shards.Worlds.Select(world => world.Links.Count));
        shards[0].Engine.Pool.SetBounds(0, 1);
        shards[0].Links[0].Slave.Terminate("asked", SlaveEnd.Scaled);
        shards[0].Advance(1);
        shards.DeliverAll();
        Assert.Contains(shards[1].Links, link => link.Slave.State == SlaveState.Starting);
        shards.Finish();
    }

    [Fact]
    public void A_shard_without_a_slave_sends_its_first_job_to_one_that_has_and_starts_its_own()
    {
        Shards shards = Shards.Fresh(Loops, Settings);
        shards[0].Ready(0);
        Assert.Equal(1, shards.Worlds.Sum(world => world.Links.Count));
        shards.Advance(10);
        Job job = shards[2].Ask("first")!;
        shards.Advance(1);
        shards.DeliverAll();
        Assert.Equal(JobState.Away, job.State);
        Assert.Equal([1, 0, 1, 0], shards.Worlds.Select(world => world.Links.Count));
        shards.Finish();
    }

    [Fact]
    public void A_shard_that_never_had_a_slave_starts_some_for_jobs_of_another_one_also_after_its_bounds_have_grown()
    {
        Shards shards = Shards.Fresh(2, Settings with { PoolLimit = 1 });
        shards[0].Ready(0);
        for (int places = 1; places <= 2; places++)
        {
            shards[1].Engine.Pool.SetBounds(0, places);
            for (int i = 0; i <= 2 * places; i++)
            {
                shards[0].Submit("waits");
            }

            shards.Advance(100);
            shards.DeliverAll();
            Assert.Equal(places, shards[1].Links.Count);
            shards.ReadyAll();
            shards.Advance(100);
            shards.DeliverAll();
        }

        shards.Finish();
    }

    /// <summary>The times of all launches while every start fails at once, ms.</summary>
    private static List<long> Tries(Shards shards, int busy)
    {
        for (int i = 0; i < busy; i++)
        {
            shards[i].Submit("waits");
        }

        EndAll(shards); // those that were launched before anything was known are one try
        List<long> times = [];
        for (long ms = 0; ms < 60_000; ms++)
        {
            shards.Advance(1);
            shards.DeliverAll();
            for (int i = Starting(shards); i > 0; i--)
            {
                times.Add(ms);
            }

            EndAll(shards);
        }

        return times;
    }

    private static void Fail(Shards shards, SimRandom random)
    {
        for (int i = 0; i < random.Between(5, 300); i++)
        {
            World world = random.Of(shards.Worlds);
            switch (random.Below(8))
            {
                case 0:
                    world.Submit("job");
                    break;
                case 1 when shards.Worlds.All(one => one.Engine.Pool.Starts.Failures > 0):
                    shards.Advance(random.Between(1, 1000));
                    Assert.InRange(Starting(shards), 0, 1);
                    break;
                case 2:
                    world.Die(0);
                    break;
                default:
                    shards.Deliver(random.Below(shards.Worlds.Count));
                    break;
            }

            if (i == 0)
            {
                EndAll(shards); // from here on all know that starts fail
            }

            shards.AssertCounts();
        }
    }

    private static void Recover(Shards shards, SimRandom random)
    {
        bool Wants(World world) => world.Engine.Queue.Usual > 0 && world.Engine.Pool.Roster.FreePlaces > 0;
        for (int i = 0; i < 50 && shards.Worlds.Any(Wants); i++)
        {
            shards.Advance(random.Between(1, EngineLimits.MaxRestartPauseMs));
            shards.ReadyAll();
            shards.DeliverAll();
        }

        Assert.DoesNotContain(shards.Worlds, world => Wants(world)); // each has its slaves, wherever the proof was
        shards.Finish();
    }

    private static string Describe(World world)
    {
        (SlavePool pool, ISiblings siblings) = (world.Engine.Pool, world.Engine.Scope.Siblings!);
        return $"{pool.Starts.Failures} failures, {pool.Starts.OnTrial} on trial, turn {siblings.HasTurn}, next try in {pool.Growth.NextTryMs} ms, "
            + $"{world.Engine.Queue.Count} wait, slaves {string.Join(' ', pool.Roster.Slaves.Select(slave => slave.State))}";
    }

    private static int Starting(Shards shards) => shards.Worlds.Sum(world => world.Engine.Pool.Roster.Starting);

    private static void EndAll(Shards shards)
    {
        foreach (World world in shards.Worlds)
        {
            while (world.Links.Count > 0)
            {
                world.Die(0);
            }
        }

        shards.DeliverAll();
    }
}
