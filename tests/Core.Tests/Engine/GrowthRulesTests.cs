using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>How a pool grows when starts fail, are slow, or bring slaves that do not stay.</summary>
public class GrowthRulesTests
{
    private static readonly EngineSettings Ten = new() { PoolLimit = 10, QueueLimit = 0, SuicideTimeoutMs = 10_000_000, HeartbeatTimeoutMs = 1_000_000 };

    [Fact]
    public void Jobs_wait_for_the_slaves_that_work_when_others_cannot_be_started()
    {
        World world = Proven(Ten, slaves: 2);
        Job[] jobs = [.. Enumerable.Range(0, 12).Select(_ => world.Ask("job")!)];
        for (int i = 0; i < 20; i++)
        {
            FailStarts(world);
            world.Advance(30_000);
            Assert.False(world.Engine.Pool.IsBroken);
            Assert.Equal(10, world.Engine.Queue.Count);
        }

        Assert.Contains(world.Log, line => line.Contains("the pool cannot grow, a start failed (5 in a row; the next try in 1600 ms): 2 slaves work on"));
        while (world.Links.FirstOrDefault(link => link.Channels.Count > 0) is { } link)
        {
            world.CloseOne(link);
        }

        Assert.Equal(Enumerable.Repeat(0, 12), world.Outcomes);
        Assert.NotEmpty(jobs);
        world.Finish();
    }

    [Fact]
    public void Growth_is_tried_again_with_longer_pauses_though_nothing_else_happens_and_goes_on_once_a_start_is_good()
    {
        World world = Proven(Ten, slaves: 1);
        for (int i = 0; i < 9; i++)
        {
            world.Submit("job");
        }

        List<long> pauses = [];
        for (int i = 0; i < 11; i++)
        {
            FailStarts(world);
            long from = world.NowMs;
            while (world.Engine.Pool.Roster.Starting == 0)
            {
                world.Advance(100);
            }

            pauses.Add(world.NowMs - from);
            Assert.Equal(1, world.Engine.Pool.Roster.Starting); // one at a time while they fail
        }

        Assert.Equal([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000], pauses);
        world.Ready(0);
        Assert.Equal(0, world.Engine.Pool.Roster.Starting); // it has done nothing yet
        world.Advance(1000); // but it lives
        Assert.Equal((0, 7), (world.Engine.Pool.Starts.Failures, world.Engine.Pool.Roster.Starting));
        world.Finish();
    }

    [Fact]
    public void When_a_good_slave_dies_the_next_start_does_not_wait_for_the_pause_of_failed_ones()
    {
        World world = Proven(Ten, slaves: 1);
        world.Submit("runs");
        world.Submit("waits");
        for (int i = 0; i < 9; i++)
        {
            FailStarts(world);
            world.Advance(i < 8 ? 30_000 : 0);
        }

        world.Die(world.Links[0]); // what it held, one licence say, is free
        Assert.Equal((2, 2), (world.Engine.Pool.Roster.Starting, world.Engine.Queue.Count));
        world.Finish();
        Assert.Equal([0, 0], world.Outcomes);
    }

    [Fact]
    public void A_slave_that_dies_once_it_is_ready_is_a_failed_start_its_app_backs_off_is_broken_and_goes_on_trying()
    {
        World world = new(Ten with { PoolMinimum = 8 }, startsAtOnce: 2);
        long from = world.NowMs;
        int launched = 0, asked = 0;
        while (world.NowMs - from < 10_000)
        {
            world.Ready(0);
            world.Ready(0);
            world.Advance(20);
            while (world.Links.Count > 0)
            {
                launched++;
                world.Die(world.Links[0], "exit code 3");
            }

            asked += world.Engine.Pool.Starts.IsFailing ? 1 : 0;
            world.Advance(10);
        }

        Assert.InRange(launched, 5, 12);
        Assert.True(asked > 0 && world.Engine.Pool.IsBroken);
        world.Submit("refused");
        Assert.Equal((500, "the app cannot be started (exit code 3): its log says why"), (world.Refusal.Code, world.Refusal.Reason));
        Assert.Single(world.Log, line => line.Contains("app: broken: "));
        world.Advance(30_000);
        Assert.Equal(1, world.Engine.Pool.Roster.Starting);
        world.Ready(0);
        world.Submit("served"); // by the one that is there
        world.Close(0);
        world.Submit("served too"); // it has done a job: that is proof
        world.Submit("waits");
        Assert.Equal((0, false), (world.Engine.Pool.Starts.Failures, world.Engine.Pool.IsBroken));
        world.Finish();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_slave_that_ends_by_itself_before_it_has_lived_or_done_a_job_is_a_failed_start(bool asks)
    {
        World world = World.Begun(Ten);
        world.Advance(999);
        if (asks)
        {
            world.Links[0].Say(sink => MessageWriter.WriteTerminate(sink, 1, "enough"));
        }

        world.Die(world.Links[0], "exit code 0");
        Assert.Equal((1, 0), (world.Engine.Pool.Starts.Failures, world.Engine.Pool.Roster.Starting));
        world.Advance(100);
        world.Ready(0);
        world.Advance(1000);
        Assert.Equal(0, world.Engine.Pool.Starts.Failures);
        world.Die(world.Links[0], "exit code 0");
        Assert.Equal(0, world.Engine.Pool.Starts.Failures);
    }

    [Fact]
    public void A_worker_that_dies_before_its_first_heartbeat_is_a_failed_start_whatever_it_was_given()
    {
        World world = new(Ten with { RetryLimit = 10 });
        world.Submit("never read");
        for (int i = 0; i < 3; i++)
        {
            Assert.False(world.Engine.Pool.IsBroken);
            world.Links.Single().Slave.OnReady();
            world.Die(world.Links[0], "exit code 1");
            world.Advance(1000);
        }

        Assert.True(world.Engine.Pool.IsBroken);
    }

    [Fact]
    public void Jobs_that_kill_slow_the_starts_down_to_one_a_second_and_do_not_make_others_fail()
    {
        World world = new(Ten with { RetryLimit = 0, PoolLimit = 1 });
        int launched = 0;
        for (long from = world.NowMs; world.NowMs - from < 20_000; world.Advance(20))
        {
            world.Submit("kills");
            if (world.Engine.Pool.Roster.Starting > 0)
            {
                launched++;
                world.Ready(0);
                world.Die(world.Links[0], "signal 11");
            }
        }

        Assert.InRange(launched, 18, 30);
        Assert.True(world.Engine.Pool.Starts.IsFailing); // that much is true, and info says it
        Assert.False(world.Engine.Pool.IsBroken);
        while (world.Engine.Queue.Count > 0)
        {
            world.Cancel(world.Engine.Queue.Oldest!);
        }

        world.Submit("innocent");
        Assert.Equal(0, world.Refusal.Code);
        world.Advance(1000);
        world.Ready(0);
        world.Close(0);
        Assert.Equal(0, world.Outcomes[^1]);
        world.Finish();
    }

    [Fact]
    public void One_job_that_kills_as_many_slaves_as_it_may_costs_the_others_no_pause()
    {
        World world = Proven(Ten with { PoolLimit = 1, RetryLimit = 1 }, slaves: 1);
        world.Submit("kills");
        world.Submit("innocent");
        world.Die(world.Links[0], "signal 11");
        world.Ready(0);
        world.Die(world.Links[0], "signal 11");
        world.Ready(0);
        Assert.Single(world.Links[0].Channels);
        Assert.Equal([502], world.Outcomes);
        world.Finish();
    }

    [Fact]
    public void A_burst_of_short_jobs_launches_no_slave_that_would_be_ready_too_late()
    {
        World world = Proven(Ten with { PoolLimit = 30 }, slaves: 1, startMs: 1500, startsAtOnce: 2);
        for (int i = 0; i < 60; i++)
        {
            world.Submit("short");
        }

        Assert.Equal(2, world.Engine.Pool.Roster.Starting);
        for (int ms = 0; world.Engine.Queue.Count > 0; ms += 50)
        {
            world.Advance(50);
            foreach (FakeLink busy in world.Links.Where(link => link.Channels.Count > 0).ToArray())
            {
                world.CloseOne(busy);
            }

            if (ms % 1500 == 1450)
            {
                world.Ready(0);
                world.Ready(0);
            }
        }

        Assert.InRange(world.Engine.Counters.SlavesStarted, 3UL, 5UL);
        world.Finish();
    }

    [Fact]
    public void Long_jobs_grow_the_pool_to_its_limit_so_many_starts_at_a_time()
    {
        World world = Proven(Ten, slaves: 1, startMs: 1500, startsAtOnce: 2);
        for (int i = 0; i < 20; i++)
        {
            world.Submit("long");
        }

        for (int i = 0; i < 10 && world.Engine.Pool.Roster.Working < 10; i++)
        {
            Assert.InRange(world.Engine.Pool.Roster.Starting, 1, 2);
            world.Advance(1500);
            world.Ready(0);
            world.Ready(0);
        }

        Assert.Equal((10, 0), (world.Engine.Pool.Roster.Working, world.Engine.Pool.Roster.Starting));
        world.Finish();
    }

    [Fact]
    public void A_queue_that_was_to_be_empty_soon_and_is_not_is_looked_at_again()
    {
        World world = Proven(Ten, slaves: 1, startMs: 1500, startsAtOnce: 3);
        world.Submit("short");
        for (int i = 0; i < 20; i++)
        {
            world.Submit("short");
            world.Advance(10);
            world.Close(0);
        }

        int before = world.Engine.Pool.Roster.Starting;
        world.Submit("hangs");
        world.Submit("waits");
        Assert.InRange(before, 1, 2);
        world.Advance(2000); // nothing happens: no job comes, none ends, no slave is ready
        world.Advance(2000);
        Assert.Equal(Math.Min(3, world.Engine.Queue.Count), world.Engine.Pool.Roster.Starting);
        world.Finish();
    }

    [Fact]
    public void The_minimum_comes_up_so_many_starts_at_a_time()
    {
        World world = new(Ten with { PoolMinimum = 5 }, startsAtOnce: 2);
        for (int ready = 0; ready < 5; ready++)
        {
            Assert.Equal(Math.Min(2, 5 - ready), world.Engine.Pool.Roster.Starting);
            world.Ready(0);
        }

        Assert.Equal((5, 5), (world.Engine.Pool.Roster.Total, world.Engine.Pool.Roster.Idle));
        world.Finish();
    }

    [Fact]
    public void Slaves_that_fail_together_are_one_try()
    {
        World world = new(Ten with { PoolMinimum = 8 });
        FailStarts(world);
        Assert.Equal((8UL, 1), (world.Engine.Counters.SlaveStartFailures, world.Engine.Pool.Starts.Failures));
        Assert.False(world.Engine.Pool.IsBroken);
        world.Advance(100);
        Assert.Equal(1, world.Engine.Pool.Roster.Starting);
    }

    [Fact]
    public void A_draining_app_whose_start_failed_tries_again_for_the_jobs_that_wait()
    {
        World world = new(Ten);
        world.Submit("waits");
        bool stopped = false;
        world.Engine.Drain(() => stopped = true);
        FailStarts(world);
        world.Advance(100);
        Assert.Equal(1, world.Engine.Pool.Roster.Starting);
        world.Ready(0);
        world.Close(0);
        Assert.Equal([0], world.Outcomes);
        world.EndTerminated();
        Assert.True(stopped);
    }

    [Theory]
    [InlineData("exit code 1\nTraceback …\n  File \"/srv/secret.py\"", "the app cannot be started (exit code 1): its log says why")]
    [InlineData("signal 11", "the app cannot be started (signal 11): its log says why")]
    [InlineData("not ready within the startup-timeout of 2000 ms; signal 9\nlast words",
        "the app cannot be started (not ready within the startup-timeout of 2000 ms): its log says why")]
    [InlineData("/srv/app.py: no such file", "the app cannot be started: its log says why")]
    [InlineData("exit code 1: password=hunter2", "the app cannot be started (exit code 1): its log says why")]
    [InlineData("exit code 1234", "the app cannot be started: its log says why")]
    public void Callers_are_told_how_a_start_failed_and_no_word_of_the_app(string cause, string told) =>
        Assert.Equal(told, StartFailure.ForCallers(cause));

    /// <summary>A world with so many slaves that have shown that they can live, each after a start of so long.</summary>
    private static World Proven(EngineSettings settings, int slaves, int startMs = 0, int startsAtOnce = int.MaxValue)
    {
        World world = new(settings, startsAtOnce: startsAtOnce);
        world.Engine.Pool.SetBounds(slaves, settings.PoolLimit);
        while (world.Engine.Pool.Roster.Starting > 0)
        {
            world.Advance(startMs);
            world.Ready(0);
        }

        world.Advance(1000);
        world.Engine.Pool.SetBounds(0, settings.PoolLimit);
        Assert.Equal(slaves, world.Engine.Pool.Roster.Idle);
        return world;
    }

    private static void FailStarts(World world)
    {
        foreach (FakeLink link in world.Links.Where(link => link.Slave.State == SlaveState.Starting).ToArray())
        {
            world.Die(link, "exit code 1\nTraceback");
        }
    }
}
