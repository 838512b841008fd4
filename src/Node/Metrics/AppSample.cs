using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Shards;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The figures of an app at one moment.</summary>
/// <param name="app">The app.</param>
/// <param name="view">Its state, a light view.</param>
internal sealed class AppSample(RunningApp app, AppView view)
{
    public RunningApp App { get; } = app;

    /// <summary>The state in a word, as in lists.</summary>
    public string State { get; } = view.State;

    /// <summary>Why slaves do not start; null when they do.</summary>
    public string? Cause { get; } = view.Cause;

    /// <summary>The counts of all loops.</summary>
    public EngineCounters Counters { get; } = view.Counters;

    /// <summary>The engines that take new jobs.</summary>
    public IReadOnlyList<EngineView> Engines { get; } = view.Engines;

    /// <summary>The tasks. Their histograms go on counting.</summary>
    public IReadOnlyList<TaskView> Tasks { get; } = [.. view.Tasks];

    /// <summary>The processes of the slaves, those of older versions too.</summary>
    public IReadOnlyList<int> ProcessIds { get; } =
        [.. view.Shards.SelectMany(shard => shard.Engines).SelectMany(engine => engine?.ProcessIds ?? []).Where(id => id > 0)];

    /// <summary>CPU time of the slaves' processes so far, s.</summary>
    public double SlaveCpuSeconds { get; set; }

    /// <summary>Resident memory of the slaves' processes.</summary>
    public long SlaveBytes { get; set; }

    /// <summary>The app's pubsub; its counts go on.</summary>
    public ZeroMqPublisher? Publisher { get; } = app.Tasks.Publisher;

    /// <summary>
    /// The right to make the jobs of tasks with <c>run-on: one</c>; null when the app has none, or its node is in no cluster.
    /// </summary>
    public ISingleton? Lease { get; } = app.Tasks.Tasks.Select(task => task.Context.Singleton).FirstOrDefault(one => one is not null);

    /// <summary>The sum of something over all engines, those of older versions too.</summary>
    public int Sum(Func<EngineView, int> of) => view.Sum(of);
}
