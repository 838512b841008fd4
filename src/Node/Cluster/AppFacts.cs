using System.Text;
using Cocaine.Fast.Cluster.Placing;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The part of a manifest that the cluster itself reads.</summary>
/// <param name="Placement">The nodes that the app means.</param>
/// <param name="Rollout">The way of another version to them.</param>
/// <param name="HasLease">Whether the app has tasks of which one node makes the jobs.</param>
internal sealed record AppFacts(PlacementRule Placement, RolloutRule Rollout, bool HasLease)
{
    /// <summary>A manifest with mistakes is meant for all nodes, where it shows as failed with its mistakes.</summary>
    private static readonly AppFacts OfMistakes = new(PlacementRule.All, new RolloutRule(), HasLease: false);

    /// <summary>Reads the manifest of a record.</summary>
    /// <param name="record">The record.</param>
    public static AppFacts Of(AppRecord record) =>
        ManifestReader.Read(Encoding.UTF8.GetBytes(record.Manifest), record.Path).Manifest is not { } app ? OfMistakes
            : new AppFacts(
                new PlacementRule { Nodes = app.Placement.Nodes, Where = app.Placement.Where }, RolloutRule.Of(app),
                app.Tasks.Any(task => task.RunsOnOne));
}
