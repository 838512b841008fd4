using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Forwarding;

/// <summary>
/// The links of an app on one loop: one forwarder for all of its versions, and the place where jobs of other nodes come in. Lives on the
/// loop.
/// </summary>
/// <param name="listener">The node's peer port.</param>
/// <param name="forwarder">Gives jobs to other nodes.</param>
/// <param name="app">Takes jobs of other nodes.</param>
internal sealed class ShardLinks(PeerListener listener, PeerForwarder forwarder, PeerApp app) : IShardLinks
{
    /// <summary>
    /// Drivers whose callers wait for an answer, or gave a job away, and hold nothing of this node. The jobs of calendars, folders and
    /// feeds are this node's own.
    /// </summary>
    private static readonly string[] Forwarding =
        ["native-server", "native-sink", "zeromq-server", "zeromq-sink", "server+lsd", "raw-server"];

    /// <inheritdoc/>
    public void Use(AppManifest version, AppEngine? engine, IReadOnlyList<AppTask> tasks)
    {
        bool forwards = version.Placement.Forwards;
        foreach (AppTask task in tasks)
        {
            task.Driver.Monitor.MayForward = forwards && MayForward(task.Manifest);
        }

        if (engine is null || !forwards)
        {
            listener.Remove(app);
            app.Use(null, []);
            return;
        }

        engine.Scope.Forwarder = forwarder;
        engine.Scope.NodeDrains = app.IsDraining;
        app.Use(engine, [.. version.Tasks.Select(DriverRegistry.Complete).Where(MayForward).Select(task => CatalogOf(task, version))]);
        listener.Add(app);
    }

    /// <inheritdoc/>
    public void Close()
    {
        listener.Remove(app);
        forwarder.Close();
        app.Close();
    }

    /// <summary>
    /// Links are not encrypted: a sealed job stays on the node that it was sealed for. A stream of bytes has no end that tells whether it
    /// may run again.
    /// </summary>
    private static bool MayForward(TaskManifest task) => Forwarding.Contains(task.DriverType) && SealModes.Of(task) == SealMode.No
        && (task.DriverType != "raw-server" || task.GetText("framing") != "stream");

    private static EventCatalog CatalogOf(TaskManifest task, AppManifest version)
    {
        EventCatalog catalog = new(task.Name, task.Events.Count > 0 ? task.Events : [task.Name]);
        catalog.Monitor.JobTimeoutMs = task.JobTimeoutMs ?? version.Engine.JobTimeoutMs;
        return catalog;
    }
}
