using Cocaine.Fast.Core.Manifest;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>
/// The engine under random schedules of a virtual clock and scripted slaves: whatever happens, each accepted job gets exactly one
/// outcome.
/// </summary>
public class EngineModelTests
{
    [Fact]
    public void Whatever_happens_each_job_gets_exactly_one_outcome_and_counts_add_up() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, 5], Gen.Int[0, 3],
            Gen.Select(Gen.Int[0, 10], Gen.Int[0, 1000]).Array[1, 120]).Sample((pool, concurrency, queue, maxJobs, steps) =>
        {
            World world = new(new EngineSettings
            {
                PoolLimit = pool,
                Concurrency = concurrency,
                QueueLimit = queue,
                QueueTimeoutMs = 3000,
                HeartbeatTimeoutMs = 20_000,
                RetryLimit = 1,
                MaxJobs = maxJobs,
                MaxAgeMs = maxJobs * 5000,
                QueueOrder = (QueueOrder)(maxJobs % 2),
                QueueBytes = queue * 9, // fits one or two requests, if any
            });
            foreach ((int what, int which) in steps)
            {
                world.Step(what, which);
                world.AssertCounts();
            }

            world.Finish();
        }, iter: 100_000);

    [Fact]
    public void Urgent_jobs_go_first_and_keep_their_order_and_a_retried_job_goes_to_the_front()
    {
        World world = new(new EngineSettings { PoolLimit = 1, QueueLimit = 10, RetryLimit = 1 });
        world.Ready(0);
        List<string> order = [];
        world.OnInvoke = job => order.Add(job);
        world.Submit("a");
        world.Submit("b");
        world.Submit("c", urgent: true);
        world.Submit("d", urgent: true);
        world.Die(0); // "a" goes back to the front of the usual ones
        world.Ready(0);
        while (world.Busy)
        {
            world.Close(0);
        }

        Assert.Equal(["a", "c", "d", "a", "b"], order);
        world.Finish();
    }

    [Fact]
    public void Three_failed_starts_break_the_app_and_a_good_one_mends_it()
    {
        World world = new(new EngineSettings { PoolLimit = 1 });
        world.Submit("waits");
        for (int i = 0; i < 3; i++)
        {
            Assert.False(world.Engine.Pool.IsBroken);
            world.Die(0);
            world.Advance(1000);
        }

        Assert.True(world.Engine.Pool.IsBroken);
        Assert.Equal(500, world.Outcomes.Single());
        world.Submit("refused");
        Assert.Equal(500, world.LastRefusal);
        world.Ready(0);
        Assert.False(world.Engine.Pool.IsBroken);
        world.Finish();
    }
}
