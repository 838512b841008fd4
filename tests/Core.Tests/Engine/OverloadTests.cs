using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>An app that stalls and comes back, with clients that go on asking.</summary>
public class OverloadTests
{
    /// <summary>Jobs that one slave serves in a second, and those that come in one.</summary>
    private const int Served = 100, Asked = 50;

    private static readonly EngineSettings One = new() { PoolLimit = 1, QueueLimit = 0, QueueBytes = 0, HeartbeatTimeoutMs = 1_000_000 };

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    public void After_a_stall_an_adaptive_queue_answers_new_clients_in_time_whatever_the_backlog(int stallSeconds)
    {
        Run run = new(One with { QueueOrder = QueueOrder.Adaptive });
        run.Stall(stallSeconds);
        long begin = run.World.NowMs;
        run.Serve(seconds: stallSeconds);
        Assert.All(run.WaitsOf(askedFrom: begin), wait => Assert.InRange(wait, 0, 1000));
        Assert.True(run.WaitsOf(askedFrom: begin).Count >= stallSeconds * (Asked - 1));
        Assert.Equal(1UL, run.World.Engine.Counters.Overloads);
        Assert.Contains(run.World.Log, line => line.Contains("the queue serves the newest first now (waiting"));

        run.Serve(seconds: stallSeconds * 3); // the backlog is served too, and then it is first come, first served again
        Assert.Equal(run.Submitted, run.World.Outcomes.Count + run.World.Engine.Queue.Count + run.World.Engine.RunningJobs);
        Assert.InRange(run.World.Engine.Queue.Count, 0, 2);
        Assert.False(run.World.Engine.Queue.ServesNewest);
        run.World.AssertCounts();
    }

    [Fact]
    public void After_the_same_stall_a_fifo_queue_answers_new_clients_late()
    {
        Run run = new(One);
        run.Stall(10);
        long begin = run.World.NowMs;
        run.Serve(seconds: 10);
        Assert.Contains(run.WaitsOf(askedFrom: begin), wait => wait > 4000);
    }

    [Fact]
    public void With_deadlines_the_backlog_is_answered_and_never_run_and_the_new_ones_are_served_in_time()
    {
        Run run = new(One with { QueueOrder = QueueOrder.Adaptive, QueueTimeoutMs = 2000 });
        run.Stall(60);
        long begin = run.World.NowMs;
        run.Serve(seconds: 5);
        Assert.All(run.WaitsOf(askedFrom: begin), wait => Assert.InRange(wait, 0, 1000));
        Assert.Contains(504, run.World.Outcomes);
        Assert.InRange(run.World.Engine.Queue.Count, 0, 2);
    }

    [Fact]
    public void Urgent_jobs_go_before_the_newest_of_the_others()
    {
        World world = World.Begun(One with { QueueOrder = QueueOrder.Adaptive });
        List<string> order = [];
        world.OnInvoke = order.Add;
        world.Submit("runs");
        world.Submit("old");
        world.Advance(1000);
        world.Submit("urgent", urgent: true);
        world.Submit("urgent, later", urgent: true);
        world.Submit("new");
        while (world.Busy)
        {
            world.Close(0);
        }

        Assert.Equal(["runs", "urgent", "urgent, later", "new", "old"], order);
    }

    [Fact]
    public void A_job_that_is_run_again_goes_before_the_newest_too()
    {
        World world = World.Begun(One with { QueueOrder = QueueOrder.Adaptive });
        List<string> order = [];
        world.OnInvoke = order.Add;
        world.Submit("again");
        world.Submit("old");
        world.Advance(1000);
        world.Submit("new");
        world.Die(0);
        world.Ready(0);
        while (world.Busy)
        {
            world.Close(0);
        }

        Assert.Equal(["again", "again", "new", "old"], order);
    }

    /// <summary>Clients ask evenly; the slave serves evenly, or not at all.</summary>
    private sealed class Run
    {
        private readonly List<(long AskedMs, long WaitMs)> _waits = [];

        public Run(EngineSettings settings)
        {
            World = World.Begun(settings);
            World.OnInvoke = name =>
            {
                long asked = long.Parse(name, System.Globalization.CultureInfo.InvariantCulture);
                _waits.Add((asked, World.NowMs - asked));
            };
        }

        public World World { get; }

        public int Submitted { get; private set; }

        public List<long> WaitsOf(long askedFrom) => [.. _waits.Where(wait => wait.AskedMs >= askedFrom).Select(wait => wait.WaitMs)];

        public void Stall(int seconds) => Pass(seconds, serves: false);

        public void Serve(int seconds) => Pass(seconds, serves: true);

        private void Pass(int seconds, bool serves)
        {
            for (int ms = 0; ms < seconds * 1000; ms += 10)
            {
                if (ms % (1000 / Asked) == 0)
                {
                    Submitted++;
                    World.Submit(World.NowMs.ToString(System.Globalization.CultureInfo.InvariantCulture));
                }

                World.Advance(1000 / Served);
                if (serves)
                {
                    World.Close(0);
                }
            }
        }
    }
}
