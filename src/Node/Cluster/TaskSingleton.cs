using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The right to make the jobs of one task: that of the app's lease.</summary>
/// <param name="keeper">The app's lease.</param>
/// <param name="task">The task.</param>
/// <param name="loop">The loop of the task.</param>
/// <param name="nameOf">The name of a node, by its uuid.</param>
internal sealed class TaskSingleton(LeaseKeeper keeper, string task, EventLoop loop, Func<string?, string?> nameOf) : ISingleton
{
    /// <inheritdoc/>
    public bool MayFire => keeper.MayAct;

    /// <inheritdoc/>
    public long Term => keeper.Term;

    /// <inheritdoc/>
    public string? Holder => nameOf(keeper.Holder);

    /// <inheritdoc/>
    public long? ClaimedMs => keeper.FiredOf(task);

    /// <inheritdoc/>
    public long AfterMs(long nowMs) => MadeUpTicks.After(keeper.FiredOf(task), keeper.HeldSinceMs, nowMs);

    /// <inheritdoc/>
    public void Claim(long timeMs, Action<long> then) => keeper.Claim(task, timeMs, term => loop.Post(() => then(term)));
}
