using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>A deadline armed and cancelled, as with a request that is answered in time, while others stay armed.</summary>
public class DeadlineBenchmarks : IDisposable
{
    private const long FirstMs = 30_000, SpreadMs = 60_000, DeadlineMs = 45_000;

    private readonly DeadlineWheel _wheel = new(0);
    private readonly SortedSet<(long DueMs, int Number)> _sorted = [];
    private readonly PriorityQueue<object, long> _heap = new();
    private readonly List<Timer> _timers = [];
    private readonly Deadline _deadline = new();
    private readonly Timer _timer = new(_ => { }, null, Timeout.Infinite, Timeout.Infinite);

    /// <summary>Timers that are armed meanwhile.</summary>
    [Params(0, 100_000)]
    public int Armed { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        for (int i = 0; i < Armed; i++)
        {
            long due = FirstMs + random.NextInt64(SpreadMs);
            _wheel.Arm(new Deadline(), due);
            _sorted.Add((due, i));
            _heap.Enqueue(this, due);
            _timers.Add(new Timer(_ => { }, null, due, Timeout.Infinite));
        }
    }

    [Benchmark(Baseline = true, Description = "DeadlineWheel")]
    public void Wheel()
    {
        _wheel.Arm(_deadline, DeadlineMs);
        _wheel.Cancel(_deadline);
    }

    [Benchmark(Description = "System.Threading.Timer")]
    public void Timers()
    {
        _timer.Change(DeadlineMs, Timeout.Infinite);
        _timer.Change(Timeout.Infinite, Timeout.Infinite);
    }

    [Benchmark(Description = "SortedSet")]
    public void Sorted()
    {
        _sorted.Add((DeadlineMs, -1));
        _sorted.Remove((DeadlineMs, -1));
    }

    /// <summary>It cannot cancel: what was armed comes out when it is due. Here the earliest does.</summary>
    [Benchmark(Description = "PriorityQueue, armed and due")]
    public void Heap()
    {
        _heap.Enqueue(this, DeadlineMs);
        _heap.Dequeue();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _timers.ForEach(timer => timer.Dispose());
        _timer.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class Deadline : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
        }
    }
}
