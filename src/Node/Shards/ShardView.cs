using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Shards;

/// <summary>The state of one shard of an app at one moment, copied on the shard's loop.</summary>
/// <param name="Engines">
/// The engines of the versions with jobs, one for each version; null when a version has fewer shards. The last one takes new jobs.
/// </param>
/// <param name="Counters">The counts of all versions.</param>
/// <param name="Loop">The system calls of the loop.</param>
/// <param name="Tasks">The tasks with a driver on the loop.</param>
internal sealed record ShardView(
    IReadOnlyList<EngineView?> Engines, EngineCounters Counters, LoopCounters Loop, IReadOnlyList<TaskView> Tasks)
{
    /// <summary>The engine that takes new jobs.</summary>
    public EngineView? Engine => Engines[^1];

    /// <summary>The sum of something over the engines of all versions.</summary>
    public int Sum(Func<EngineView, int> of) => Engines.OfType<EngineView>().Sum(of);
}
