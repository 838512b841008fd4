using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Cluster;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Locator;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// The apps of a daemon's cluster: changes of them go to all nodes, and this node runs those that it should run. An app that the config
/// names, or that was created on this node alone, hides an app of the cluster with its name.
/// </summary>
/// <param name="cluster">The node as a member.</param>
/// <param name="node">Runs the apps.</param>
/// <param name="apps">The apps of this node.</param>
/// <param name="store">The apps that were created on this node alone.</param>
/// <param name="pausedApps">The apps that take no jobs until they are resumed.</param>
/// <param name="reconciler">Starts, replaces and ends apps.</param>
/// <param name="log">The daemon's log.</param>
internal sealed class ClusterApps(
    ClusterNode cluster, CocaineNode node, HostedApps apps, AppStore store, PausedApps pausedApps, AppReconciler reconciler, ILogger log)
{
    /// <summary>How often the apps are compared when nothing changed: a node that is down for a minute no longer counts.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // The bound is 1, because an item that waits stands for all changes.
    private readonly Channel<bool> _changes =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int _appliesChanges; // 1 once a task applies the changes
    private readonly SemaphoreSlim _oneAtATime = new(1); // the apps are made to match
    private readonly HashSet<string> _wantedNames = [];  // those of the last time
    private readonly PlacedApps _placed = new();
    private readonly Lock _lock = new(); // guards the field above
    private string? _applied;            // the wanted apps and their changes, when they were applied last; only the loop uses it

    /// <summary>The apps of the cluster that are ready here, in the order of their names.</summary>
    public IReadOnlyList<AppPlace> Ready =>
        [.. Running.Where(app => app.Ready.IsCompletedSuccessfully).OrderBy(app => app.Name, StringComparer.Ordinal).Select(AppPlaces.Of)];

    /// <summary>The apps among them that take jobs, and have tasks of which one node makes the jobs.</summary>
    public IReadOnlyList<LeasedApp> Leased =>
    [
        .. apps.Running.Where(app => app.IsOfCluster && app.Manifest.Tasks.Any(task => task.RunsOnOne)
            && node.Find(app.Manifest.Name) is { IsPaused: false, Ready.IsCompletedSuccessfully: true })
            .Select(app => new LeasedApp(app.Manifest.Name, app.Manifest.Placement.GoesOnWithoutEngine)),
    ];

    /// <summary>The apps of the cluster that run here.</summary>
    public IEnumerable<RunningApp> Running =>
        apps.Running.Where(app => app.IsOfCluster).Select(app => node.Find(app.Manifest.Name)).OfType<RunningApp>();

    /// <summary>The records of the apps that this node should run.</summary>
    private IReadOnlyList<AppRecord> Wanted
    {
        get
        {
            if (cluster.Self is not { } self || cluster.Records is not { Count: > 0 } records)
            {
                return [];
            }

            lock (_lock)
            {
                return _placed.Of(records, cluster.View, self, app => apps.Find(app) is { IsOfCluster: true }, Environment.TickCount64);
            }
        }
    }

    /// <summary>The newest record of an app; null when the cluster has none, or a tombstone.</summary>
    private AppRecord? Find(string name) => cluster.Records.FirstOrDefault(record => record.App == name && !record.IsDeleted);

    /// <summary>The names of the nodes that should run an app, for people.</summary>
    private string NodesOf(string name)
    {
        lock (_lock)
        {
            return Find(name) is { } record ? _placed.NamesOf(record, cluster.View) : "it was deleted meanwhile";
        }
    }

    /// <summary>Whether a name means an app of the cluster: no app of this node alone has it.</summary>
    /// <param name="name">The name.</param>
    public bool Owns(string name) => Find(name) is not null && !IsHidden(name);

    /// <summary>Creates an app for all nodes.</summary>
    /// <param name="app">The app, which has no mistakes here.</param>
    public async Task<CreatedInCluster> CreateAsync(HostedApp app)
    {
        string name = app.Manifest.Name;
        if (IsHidden(name))
        {
            throw new NodeException($"app {name} runs on this node alone already: replace it, or delete it first")
            {
                Code = ErrorCodes.BadRequest,
            };
        }

        RecordChange.Create change = new(name, app.Manifest.Version, TextOf(app.Text), null) { Path = app.Text.FilePath };
        await cluster.ChangeAsync(name, change);
        string? reason = await ApplyAsync(name);
        bool isElsewhere = reason is null && node.Find(name) is null;
        return new CreatedInCluster(name, app.Manifest.Version, isElsewhere ? NodesOf(name) : reason, isElsewhere, RunOnOf(app.Manifest));
    }

    private static Dictionary<string, string>? RunOnOf(AppManifest manifest)
    {
        Dictionary<string, string> nodes = manifest.Tasks.Where(task => task.Driver?.Keys.Any(key => key.Name == "run-on") == true)
            .ToDictionary(task => task.Name, task => task.RunsOnOne ? "one" : "all");
        return nodes.Count > 0 ? nodes : null;
    }

    /// <summary>Replaces an app on all nodes at once; on each the old version goes on when the new one does not come up.</summary>
    /// <param name="app">The next version.</param>
    /// <param name="force">Also when the version is not higher.</param>
    public async Task<ReplaceOutcome> ReplaceAsync(HostedApp app, bool force)
    {
        string name = app.Manifest.Name;
        int from = Find(name)?.Version ?? 0;
        RecordChange.Replace change = new(app.Manifest.Version, TextOf(app.Text), null, force)
        {
            Path = app.Text.FilePath,
            IsAtOnce = true,
        };
        await cluster.ChangeAsync(name, change);
        string? reason = await ApplyAsync(name);
        return new ReplaceOutcome(name, from, app.Manifest.Version, reason is null, reason, Task.CompletedTask);
    }

    /// <summary>Deletes an app from all nodes, also from those that are away.</summary>
    /// <param name="name">The app.</param>
    public async Task DeleteAsync(string name)
    {
        await cluster.ChangeAsync(name, new RecordChange.Delete());
        await ApplyAsync(new ApplyCounts(), CancellationToken.None);
    }

    /// <summary>Makes an app take no jobs on any node, or take them again.</summary>
    /// <param name="name">The app.</param>
    /// <param name="isPaused">Whether it is to be paused.</param>
    public async Task PauseAsync(string name, bool isPaused)
    {
        await cluster.ChangeAsync(name, new RecordChange.Pause(isPaused));
        await ApplyAsync(name);
    }

    /// <summary>Starts, replaces, pauses and ends apps, so that those of the cluster that this node should run do so.</summary>
    /// <param name="counts">Counts the changes.</param>
    /// <param name="cancellation">The node stops.</param>
    /// <returns>The names of the apps.</returns>
    public async Task<IEnumerable<string>> ApplyAsync(ApplyCounts counts, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            IReadOnlyList<AppRecord> wanted = Wanted;
            HashSet<string> names = [.. wanted.Select(record => record.App)];
            foreach (HostedApp app in apps.Running.Where(app => app.IsOfCluster && !names.Contains(app.Manifest.Name)))
            {
                await reconciler.EndAsync(app.Manifest.Name, counts, cancellation);
            }

            foreach (string gone in _wantedNames.Where(name => !names.Contains(name) && apps.Find(name) is null && !IsHidden(name)))
            {
                apps.Remove(gone); // it could not be started, and need not be now
            }

            await Task.WhenAll(wanted.Select(record => EnsureAsync(record, counts, cancellation)));
            _wantedNames.Clear();
            _wantedNames.UnionWith(names);
            return names;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>
    /// The apps that this node should run may be others: returns at once. The first change starts the task that applies them, so a node
    /// alone has none.
    /// </summary>
    /// <param name="end">The node stops.</param>
    public void OnChange(CancellationToken end)
    {
        _changes.Writer.TryWrite(true);
        if (Interlocked.Exchange(ref _appliesChanges, 1) == 0)
        {
            _ = NodeThreads.Run(() => RunAsync(end)); // throws nothing
        }
    }

    /// <summary>Applies changes of the cluster until the node stops.</summary>
    private async Task RunAsync(CancellationToken end)
    {
        ChannelReader<bool> changes = _changes.Reader;
        Task<bool> change = changes.WaitToReadAsync(end).AsTask();
        while (!end.IsCancellationRequested)
        {
            await Task.WhenAny(change, Task.Delay(Period, NodeClock.Instance, end)); // never throws
            if (change.IsCompleted && !end.IsCancellationRequested)
            {
                changes.TryRead(out _);
                change = changes.WaitToReadAsync(end).AsTask();
            }

            await ApplyChangesAsync(end);
        }
    }

    private async Task ApplyChangesAsync(CancellationToken end)
    {
        try
        {
            // An app that hides one of the cluster is among the words: when it goes, they change.
            string wanted = string.Join('\n', Wanted.Select(app => $"{app.App} {app.Change} {app.Step} {IsHidden(app.App)}"));
            if (wanted != _applied && !end.IsCancellationRequested)
            {
                await ApplyAsync(new ApplyCounts(), end);
                _applied = wanted;
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // the usual end
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            DaemonLog.Fault(log, failure, "of the cluster"); // and tried again at the next change or period
        }
    }

    /// <summary>Makes one app match. Returns the reason why it is not as it should be; null when it is.</summary>
    private async Task<string?> ApplyAsync(string name)
    {
        ApplyCounts counts = new();
        if (Wanted.FirstOrDefault(record => record.App == name) is { } wanted)
        {
            await EnsureAsync(wanted, counts, CancellationToken.None);
        }

        return counts.Reason;
    }

    private async Task EnsureAsync(AppRecord record, ApplyCounts counts, CancellationToken cancellation)
    {
        string name = record.App;
        if (IsHidden(name))
        {
            DaemonLog.ClusterIsHidden(log, name);
            return;
        }

        try
        {
            if (record.IsPaused)
            {
                pausedApps.KeepFor(name); // before the app starts
            }

            await reconciler.EnsureAsync(name, () => Read(name), counts, cancellation);
            if (apps.Find(name) is { IsOfCluster: true } && node.Find(name) is { } running && running.IsPaused != record.IsPaused)
            {
                await (record.IsPaused ? pausedApps.PauseAsync(name, cancellation) : pausedApps.ResumeAsync(name, cancellation));
            }
        }
        catch (NodeException failure)
        {
            reconciler.Fail(name, failure, counts);
        }
    }

    /// <summary>The app as the cluster wants it now; null when it is wanted no more, or hidden.</summary>
    private HostedApp? Read(string name)
    {
        if (Find(name) is not { } record || IsHidden(name))
        {
            return null;
        }

        HostedApp app = reconciler.Read(new ManifestText(Encoding.UTF8.GetBytes(record.Manifest), record.Path), isFixed: false);
        return app.Manifest.Name == name ? app with { IsOfCluster = true }
            : throw new NodeException($"the cluster's record of app {name} has the manifest of app {app.Manifest.Name}");
    }

    private bool IsHidden(string name) => apps.Find(name) is { IsOfCluster: false } || store.Find(name) is not null;

    private static string TextOf(ManifestText text) => Encoding.UTF8.GetString(text.Utf8.Span);
}
