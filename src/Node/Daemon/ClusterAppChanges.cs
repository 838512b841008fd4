using System.Text;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Cluster;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The changes of the apps of a daemon's cluster: each is made in the engine for all nodes first, and then here.</summary>
/// <param name="cluster">The node as a member.</param>
/// <param name="clusterApps">The apps of the cluster on this node.</param>
/// <param name="node">Runs the apps.</param>
/// <param name="apps">The apps of this node.</param>
/// <param name="gates">The right to change an app.</param>
/// <param name="store">The apps that were created on this node alone.</param>
/// <param name="reconciler">Reads manifests with the node's defaults.</param>
internal sealed class ClusterAppChanges(
    ClusterNode cluster, ClusterApps clusterApps, CocaineNode node, HostedApps apps, NameGates gates, AppStore store,
    AppReconciler reconciler) : IClusterApps
{
    /// <inheritdoc/>
    public async Task<CreatedInCluster> CreateAsync(ManifestText manifest)
    {
        HostedApp app = reconciler.Read(manifest, isFixed: false);
        string name = app.Manifest.Name;
        if (clusterApps.IsHidden(name))
        {
            throw Refusal($"app {name} runs on this node alone already: 'app publish {name}' makes it the cluster's; or replace it, or "
                + "delete it first");
        }

        await cluster.ChangeAsync(name, CreationOf(app));
        return await CreatedAsync(app.Manifest);
    }

    /// <inheritdoc/>
    public async Task<CreatedInCluster> PublishAsync(string name, bool force)
    {
        using NameGates.Lease lease = await gates.EnterAsync(name, giveUp: false, CancellationToken.None);
        HostedApp app = apps.Find(name) switch
        {
            { IsOfCluster: true } => throw Refusal($"app {name} is the cluster's already"),
            { IsFixed: true } fixedApp => throw Refusal(
                $"app {name} is in the node's config: 'app create {fixedApp.Text.FilePath}' at another node makes an app of the cluster of "
                + "it, which this node runs once the config does not name it any more"),
            { } own => own,
            _ => throw node.NoApp(name),
        };
        RecordChange change = clusterApps.Find(name) is null ? CreationOf(app) : force ? ReplacementOf(app, force)
            : throw Refusal($"the cluster has an app {name} already: 'app publish {name} --force' makes this one its next version, and "
                + $"'app delete {name}' makes place for the cluster's here");
        await cluster.ChangeAsync(name, change);
        store.Delete(name); // from here on a restart finds the record of the cluster
        apps.SetRunning(app with { IsOfCluster = true });
        lease.Dispose(); // the app itself is changed under the right of its own
        return await CreatedAsync(app.Manifest);
    }

    /// <summary>Lets another version come to all nodes, one batch after the other: see <see cref="ClusterRollouts"/>.</summary>
    /// <param name="app">The next version, which has no mistakes here.</param>
    /// <param name="force">Also when the version is not higher.</param>
    public async Task<ReplaceOutcome> ReplaceAsync(HostedApp app, bool force)
    {
        string name = app.Manifest.Name;
        await cluster.ChangeAsync(name, ReplacementOf(app, force));
        RolloutPlan? plan = clusterApps.Find(name)?.Rollout;
        return new ReplaceOutcome(name, plan?.From ?? 0, app.Manifest.Version, true, null, Task.CompletedTask) { IsRollout = true };
    }

    /// <summary>Deletes an app from all nodes, also from those that are away.</summary>
    /// <param name="name">The app.</param>
    public async Task DeleteAsync(string name)
    {
        await cluster.ChangeAsync(name, new RecordChange.Delete());
        await clusterApps.ApplyAsync(new ApplyCounts(), CancellationToken.None);
    }

    /// <summary>Makes an app take no jobs on any node, or take them again.</summary>
    /// <param name="name">The app.</param>
    /// <param name="isPaused">Whether it is to be paused.</param>
    public async Task PauseAsync(string name, bool isPaused)
    {
        await cluster.ChangeAsync(name, new RecordChange.Pause(isPaused));
        await clusterApps.ApplyAsync(name);
    }

    private async Task<CreatedInCluster> CreatedAsync(AppManifest app)
    {
        string? reason = await clusterApps.ApplyAsync(app.Name);
        bool isElsewhere = reason is null && node.Find(app.Name) is null;
        return new CreatedInCluster(
            app.Name, app.Version, isElsewhere ? clusterApps.NodesOf(app.Name) : reason, isElsewhere, RunOnOf(app));
    }

    private static Dictionary<string, string>? RunOnOf(AppManifest manifest)
    {
        Dictionary<string, string> nodes = manifest.Tasks.Where(task => task.Driver?.Keys.Any(key => key.Name == "run-on") == true)
            .ToDictionary(task => task.Name, task => task.RunsOnOne ? "one" : "all");
        return nodes.Count > 0 ? nodes : null;
    }

    private static RecordChange.Create CreationOf(HostedApp app) =>
        new(app.Manifest.Name, app.Manifest.Version, TextOf(app.Text), app.Text.Code?.Name) { Path = PathOf(app.Text) };

    private static RecordChange.Replace ReplacementOf(HostedApp app, bool force) =>
        new(app.Manifest.Version, TextOf(app.Text), app.Text.Code?.Name, force) { Path = PathOf(app.Text) };

    private static string PathOf(ManifestText text) => text.Code?.Path ?? text.FilePath;

    private static string TextOf(ManifestText text) => Encoding.UTF8.GetString(text.Utf8.Span);

    private static NodeException Refusal(string why) => new(why) { Code = ErrorCodes.BadRequest };
}
