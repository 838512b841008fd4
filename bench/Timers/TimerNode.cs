using System.Diagnostics;
using Cocaine.Fast.Backends.Threads;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Timers;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Bench.Timers;

/// <summary>A loop and an app as a node has them, with any number of recurring-timers; what they publish comes here.</summary>
internal sealed class TimerNode : IDisposable
{
    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly List<RecurringTimerDriver> _timers = [];
    private readonly Ticks _ticks;
    private readonly AppEngine _engine;

    private TimerNode(bool keep)
    {
        _ticks = new Ticks(keep);
        AppManifest manifest = new()
        {
            Name = "timers",
            Type = AppType.DotNet,
            Code = new CodeSource { Source = $"{typeof(TickApp).Assembly.Location}:{typeof(TickApp).FullName}" },
            Engine = new EngineSettings { Backend = BackendType.Thread, PoolLimit = 1, Concurrency = 1024, QueueLimit = 0 },
            Tasks = [],
        };
        ThreadBackend backend = new(manifest, _loop, locator: default, new LeftBehind(), NullLogger.Instance);
        _engine = new AppEngine(manifest.Name, manifest.Engine, _loop, backend, NullLogger.Instance);
    }

    /// <summary>When ticks were run, Stopwatch ticks, in their order; only when they are kept.</summary>
    public List<long> Times => _ticks.Times;

    public long Count => Volatile.Read(ref _ticks.Count);

    /// <summary>The time from which the first timer counts, ns.</summary>
    public long StartNs => _timers[0].StartMs * 1_000_000;

    /// <summary>The timers start one after the other over one interval, so that as many tick in each millisecond.</summary>
    public static async Task<TimerNode> StartAsync(int timers, int intervalMs, bool keep)
    {
        TimerNode node = new(keep);
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        node._engine.SlaveReady += () => ready.TrySetResult();
        node._engine.Broken += cause => ready.TrySetException(new InvalidOperationException(cause));
        node._loop.Start("timers");
        await node._loop.RunAsync(() => node._engine.Start());
        await ready.Task;
        TaskManifest task = new()
        {
            Name = "tick",
            DriverType = "recurring-timer",
            Keys = new Dictionary<string, object> { ["interval"] = (long)intervalMs },
        };
        DriverContext context = new(DriverRegistry.Complete(task), node._engine, node._loop, NullLogger.Instance, static reply => reply([]))
        {
            Publisher = node._ticks,
        };
        int perMs = Math.Max(1, timers / intervalMs);
        long start = Stopwatch.GetTimestamp();
        for (int opened = 0; opened < timers; opened += perMs)
        {
            SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(start).TotalMilliseconds >= opened / perMs);
            await node._loop.RunAsync(() => node.Open(context, perMs));
        }

        return node;
    }

    private void Open(DriverContext context, int count)
    {
        for (int i = 0; i < count; i++)
        {
            RecurringTimerDriver timer = new(context);
            timer.Open();
            _timers.Add(timer);
        }
    }

    /// <summary>No further tick; those under way are done when this returns.</summary>
    public async Task StopAsync()
    {
        TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _loop.RunAsync(() =>
        {
            _timers.ForEach(timer => timer.StopTaking());
            _engine.Drain(drained.SetResult);
        });
        await drained.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public void Dispose() => _loop.Dispose();

    /// <summary>Runs on the loop.</summary>
    private sealed class Ticks(bool keep) : ResultPublisher
    {
        public long Count;

        public List<long> Times { get; } = [];

        public override void PublishChunk(string task, ReadOnlySpan<byte> chunk)
        {
            Count++;
            if (keep)
            {
                Times.Add(BitConverter.ToInt64(chunk));
            }
        }

        public override void PublishError(string task, int category, int code, string reason, in ErrorHeaders headers) =>
            Console.Error.WriteLine($"{code} {reason}");
    }
}
