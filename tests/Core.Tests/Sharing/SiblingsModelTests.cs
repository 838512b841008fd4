using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Sharing;

/// <summary>
/// Whatever happens to jobs, slaves and callers, and in whatever order the shards hear of each other: each job has exactly one outcome, and
/// the counts hold at every step.
/// </summary>
public class SiblingsModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Each_job_has_one_outcome_in_every_order_of_events(ulong first)
    {
        long sent = 0, returned = 0;
        for (ulong seed = first * 1_000_000; seed < (first * 1_000_000) + 250; seed++)
        {
            try
            {
                (long Sent, long Returned) = Run(new SimRandom(seed));
                sent += Sent;
                returned += Returned;
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }

        Assert.True(sent > 1000 && returned > 100, $"{sent} jobs went, and {returned} came back: the test tests little");
    }

    private static (long Sent, long Returned) Run(SimRandom random)
    {
        EngineSettings settings = new()
        {
            PoolLimit = random.Between(1, 3),
            PoolMinimum = 1,
            Concurrency = random.Chance(60) ? 1 : random.Between(2, 4),
            QueueLimit = random.Chance(50) ? 0 : 20,
            GrowWaitMs = random.Chance(50) ? 0 : 5,
            QueueTimeoutMs = random.Chance(50) ? 0 : random.Between(20, 500),
            JobTimeoutMs = random.Chance(60) ? 0 : random.Between(20, 500),
            RetryLimit = random.Between(0, 2),
        };
        Shards shards = new(random.Between(2, 4), settings);
        int busiest = random.Below(shards.Worlds.Count);
        int steps = random.Between(50, 250);
        for (int i = 0; i < steps; i++)
        {
            Step(random, shards, busiest);
            shards.AssertCounts();
        }

        if (random.Chance(20))
        {
            shards[busiest].Engine.StopNow("the test stops it"); // in the middle of everything
            shards.AssertCounts();
        }

        shards.Finish();
        return (shards.Worlds.Sum(world => (long)world.Engine.Counters.JobsSentAway), shards.Worlds.Sum(world => (long)world.Engine.Counters.JobsSentBack));
    }

    private static void Step(SimRandom random, Shards shards, int busiest)
    {
        int shard = random.Below(shards.Worlds.Count);
        World world = shards[random.Chance(40) ? busiest : shard];
        switch (random.Below(20))
        {
            case < 5:
                world = shards[busiest];
                world.Step(random.Below(3), random.Below(1000)); // more jobs than its slaves can do
                break;
            case < 9:
                shards.Deliver(shard);
                break;
            case < 11:
                shards.Advance(random.Between(1, 20));
                break;
            case 11 when world.Open.Count > 0 && random.Of(world.Open) is { Runner: { } runner } job:
                if (runner.HoldBack(job.SlaveChannel))
                {
                    runner.LetGo(job.SlaveChannel);
                }

                break;
            case 12 when world.Open.Count > 0:
                Job failed = random.Of(world.Open);
                failed.Engine.Fail(failed, 503, "its client reads too slowly");
                break;
            default:
                world.Step(random.Between(3, 10), random.Below(60));
                break;
        }
    }
}
