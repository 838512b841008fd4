using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>How another version of an app comes to its nodes: the manifest's rule, with its defaults.</summary>
internal sealed record RolloutRule
{
    /// <summary>How many nodes change at once, 1 or more. The default is one: a version that breaks costs one node.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>The same as a part of the nodes that the app means, 1 to 100 %; null to count <see cref="Batch"/>.</summary>
    public int? BatchPercent { get; init; }

    /// <summary>
    /// How long a node must be ready before it has proven the version, ms. Ten seconds: code that breaks on load breaks by then.
    /// </summary>
    public long SettleMs { get; init; } = 10_000;

    /// <summary>The part of a node's jobs that may end in 500, 502 or 504, in percent, if the version before was not worse.</summary>
    public double MaxErrorsPercent { get; init; } = 1;

    /// <summary>Whether all nodes go back to the version before when the new one fails; else the rollout stops where it is.</summary>
    public bool RollsBack { get; init; } = true;

    /// <summary>How long a node may take to start the version, ms: the startup-timeout of the app.</summary>
    public long StartupTimeoutMs { get; init; } = 10_000;

    /// <summary>The rule of a manifest.</summary>
    /// <param name="app">The manifest.</param>
    public static RolloutRule Of(AppManifest app) => new()
    {
        Batch = app.Placement.Rollout.Batch,
        BatchPercent = app.Placement.Rollout.BatchPercent,
        SettleMs = app.Placement.Rollout.SettleMs,
        MaxErrorsPercent = app.Placement.Rollout.MaxErrorsPercent,
        RollsBack = app.Placement.Rollout.RollsBack,
        StartupTimeoutMs = app.Engine.StartupTimeoutMs,
    };

    /// <summary>How many of so many nodes may be unproven at once; at least one, or the rollout would stand still.</summary>
    /// <param name="nodes">How many nodes the app means.</param>
    public int BatchOf(int nodes) => BatchPercent is { } percent ? Math.Max(1, nodes * percent / 100) : Batch;
}
