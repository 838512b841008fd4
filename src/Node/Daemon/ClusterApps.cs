using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Cluster;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Locator;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// The apps of a daemon's cluster: this node runs those that it should run, each in the version that it should run. An app that the config
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

    /// <summary>How long after a failure the code of an app is asked for again.</summary>
    private const long CodeRetryMs = 10_000;

    private long _codeFailedMs = long.MaxValue; // when the code of an app could not be had last; max = never, or it was tried again since
    private int _appliesChanges; // 1 once a task applies the changes
    private readonly SemaphoreSlim _oneAtATime = new(1); // the apps are made to match
    private readonly HashSet<string> _wantedNames = [];  // those of the last time
    private readonly PlacedApps _placed = new(cluster.Facts);
    private readonly AppWords _words = new(node, apps);
    private readonly Dictionary<string, AppOutcome> _outcomes = []; // by app; the last attempt to follow its record
    private readonly Lock _lock = new(); // guards the fields above
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

    /// <summary>The words of this node about the apps that it should run; from one thread at a time.</summary>
    public IReadOnlyList<AppWord> Words => _words.Of(Wanted, IsHidden, OutcomeOf);

    /// <summary>The records of the apps that this node should run, each with its manifest for this node.</summary>
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
    /// <param name="name">The app.</param>
    public AppRecord? Find(string name) => cluster.Records.FirstOrDefault(record => record.App == name && !record.IsDeleted);

    /// <summary>The names of the nodes that should run an app, for people.</summary>
    /// <param name="name">The app.</param>
    public string NodesOf(string name)
    {
        lock (_lock)
        {
            return Find(name) is { } record ? _placed.NamesOf(record, cluster.View) : "it was deleted meanwhile";
        }
    }

    /// <summary>Whether a name means an app of the cluster: no app of this node alone has it.</summary>
    /// <param name="name">The name.</param>
    public bool Owns(string name) => Find(name) is not null && !IsHidden(name);

    /// <summary>Starts, replaces, pauses and ends apps, so that those of the cluster that this node should run do so.</summary>
    /// <param name="counts">Counts the changes.</param>
    /// <param name="cancellation">The node stops.</param>
    /// <returns>The names of the apps.</returns>
    public Task<IEnumerable<string>> ApplyAsync(ApplyCounts counts, CancellationToken cancellation) =>
        ApplyAsync(counts, triesAgain: true, cancellation);

    private async Task<IEnumerable<string>> ApplyAsync(ApplyCounts counts, bool triesAgain, CancellationToken cancellation)
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

            await Task.WhenAll(wanted.Select(record => EnsureAsync(record, counts, triesAgain, cancellation)));
            _wantedNames.Clear();
            _wantedNames.UnionWith(names);
            KeepOutcomes(names);
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
            bool triesCode = Environment.TickCount64 - Volatile.Read(ref _codeFailedMs) > CodeRetryMs;
            if ((wanted != _applied || triesCode) && !end.IsCancellationRequested)
            {
                Volatile.Write(ref _codeFailedMs, long.MaxValue);
                await ApplyAsync(new ApplyCounts(), triesAgain: false, end);
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
    /// <param name="name">The app.</param>
    public async Task<string?> ApplyAsync(string name)
    {
        ApplyCounts counts = new();
        if (Wanted.FirstOrDefault(record => record.App == name) is { } wanted)
        {
            await EnsureAsync(wanted, counts, triesAgain: true, CancellationToken.None);
        }

        return counts.Reason;
    }

    /// <param name="record">The record, with the manifest for this node.</param>
    /// <param name="counts">Counts the changes.</param>
    /// <param name="triesAgain">
    /// Whether a version that failed here is tried again: another move of a rollout is no reason for it. A lack of packed code is always
    /// one, as the code may be there by now.
    /// </param>
    /// <param name="cancellation">The node stops.</param>
    private async Task EnsureAsync(AppRecord record, ApplyCounts counts, bool triesAgain, CancellationToken cancellation)
    {
        string name = record.App;
        if (IsHidden(name))
        {
            DaemonLog.ClusterIsHidden(log, name);
            return;
        }

        if (!triesAgain && OutcomeOf(name) is { Reason: not null } failed && failed.IsOf(record)
            && !(failed.LacksCode && record.Code is not null))
        {
            return;
        }

        ApplyCounts own = new();
        try
        {
            if (record.IsPaused)
            {
                pausedApps.KeepFor(name); // before the app starts
            }

            await EnsureCodeAsync(record);
            await reconciler.EnsureAsync(name, () => Read(name), own, cancellation);
            if (apps.Find(name) is { IsOfCluster: true } && node.Find(name) is { } running && running.IsPaused != record.IsPaused)
            {
                await (record.IsPaused ? pausedApps.PauseAsync(name, cancellation) : pausedApps.ResumeAsync(name, cancellation));
            }
        }
        catch (NodeException failure)
        {
            reconciler.Fail(name, failure, own);
        }

        lock (_lock)
        {
            _outcomes[name] = new AppOutcome(record.Generation, record.Made, own.Reason, own.Reason is not null && LacksCode(record));
            counts.Add(own);
        }
    }

    /// <summary>Whether the code is not on this node: the pack, or the files that are the only mistakes of the manifest.</summary>
    private bool LacksCode(AppRecord record)
    {
        if (record.Code is not null)
        {
            return !cluster.Code.Has(record);
        }

        byte[] text = Encoding.UTF8.GetBytes(record.Manifest);
        return ManifestReader.Read(text, record.Path, checkFiles: true).Manifest is null
            && ManifestReader.Read(text, record.Path).Manifest is not null;
    }

    private AppOutcome? OutcomeOf(string name)
    {
        lock (_lock)
        {
            return _outcomes.GetValueOrDefault(name);
        }
    }

    private void KeepOutcomes(HashSet<string> names)
    {
        lock (_lock)
        {
            foreach (string gone in _outcomes.Keys.Where(name => !names.Contains(name)).ToArray())
            {
                _outcomes.Remove(gone);
            }
        }
    }

    private async Task EnsureCodeAsync(AppRecord record)
    {
        try
        {
            await cluster.Code.EnsureAsync(record);
        }
        catch (NodeException)
        {
            Volatile.Write(ref _codeFailedMs, Environment.TickCount64);
            throw;
        }
    }

    /// <summary>The app as the cluster wants it now; null when it is wanted no more, or hidden.</summary>
    private HostedApp? Read(string name)
    {
        if (Find(name) is not { } found || IsHidden(name) || cluster.Self is not { } self)
        {
            return null;
        }

        AppRecord record = found.For(self.Uuid);
        ManifestText text = new(Encoding.UTF8.GetBytes(record.Manifest), cluster.Code.PathOf(record));
        HostedApp app = reconciler.Read(text, isFixed: false);
        return app.Manifest.Name == name ? app with { IsOfCluster = true, Made = record.Made }
            : throw new NodeException($"the cluster's record of app {name} has the manifest of app {app.Manifest.Name}");
    }

    /// <summary>Whether an app of this node alone has the name.</summary>
    /// <param name="name">The name.</param>
    public bool IsHidden(string name) => apps.Find(name) is { IsOfCluster: false } || store.Find(name) is not null;
}
