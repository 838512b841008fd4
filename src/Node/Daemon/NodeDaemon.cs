using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Cluster;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Places;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Files;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// A long-running node: it keeps created apps in its state folder, runs the apps that its config names, and is controlled over a Unix
/// socket. See docs/node.md.
/// </summary>
public sealed class NodeDaemon : IControlHost, IAsyncDisposable
{
    private readonly CocaineNode _node;
    private readonly ILogger _log;
    private readonly HostedApps _apps = new();
    private readonly NameGates _gates = new();
    private readonly PausedApps _paused;
    private readonly ClusterNode _cluster;
    private readonly ClusterPeers _peers;
    private ClusterApps _clusterApps = null!; // from StartAsync on
    private ClusterAppChanges _changes = null!; // from StartAsync on
    private readonly string _statePath;
    private readonly string _controlEndpoint;
    private volatile NodeConfig _config;
    private StateFolder? _state;
    private AppStore _store = null!; // from StartAsync on
    private AppReconciler _reconciler = null!; // from StartAsync on
    private ControlService? _control;
    private RemoteControl? _remoteControl;
    private readonly CancellationTokenSource _ends = new();
    private JsonControl? _jsonControl;

    /// <summary>Makes a daemon; <see cref="StartAsync"/> makes it run.</summary>
    /// <param name="config">The node's settings.</param>
    /// <param name="logging">Makes the node's logs.</param>
    /// <param name="ownsProcess">The process ends with the daemon: see <see cref="NodeOptions.OwnsProcess"/>.</param>
    public NodeDaemon(NodeConfig config, ILoggerFactory logging, bool ownsProcess = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(logging);
        _config = config;
        _log = logging.CreateLogger("node");
        _statePath = config.StateFolder ?? Folders.State();
        _controlEndpoint = config.ControlEndpoint ?? Folders.ControlEndpoint(config.RuntimeFolder);
        _node = new CocaineNode(new NodeOptions
        {
            Loops = config.Loops,
            Locator = config.Locator,
            LocatorTls = config.LocatorTls,
            NodeService = config.NodeService,
            StateDirectory = _statePath,
            LedgerDirectory = config.LedgerFolder,
            RuntimeDirectory = config.RuntimeFolder,
            KeysDirectory = config.Security.KeysFolder,
            OwnsProcess = ownsProcess,
            Security = config.Security,
            Singletons = (app, task, loop) => _cluster!.Leases.Of(app, task, loop),
            LoggerFactory = logging,
        });
        _paused = new PausedApps(_statePath, _node, _apps, _log);
        _peers = new(config, () => _node.FirstLoop, () => _node.Doors.Certificates.Tls.Doors, () => _clusterApps.Running, _log);
        ClusterSettings settings = new(
            config.Cluster ?? new ClusterConfig(), () => _node.LocatorEndpoints, () => _node.Apps, () => _clusterApps.Ready,
            () => _clusterApps.Leased)
        { Peers = _peers, Members = all => _node.Doors.Members = all, Words = () => _clusterApps.Words };
        _cluster = new ClusterNode(_statePath, settings, () => _clusterApps.OnChange(_ends.Token), _log);
    }

    /// <summary>The node itself.</summary>
    public CocaineNode Node => _node;

    /// <summary>How long jobs may take to finish when the node stops.</summary>
    public TimeSpan DrainTimeout => TimeSpan.FromMilliseconds(_config.DrainTimeoutMs);

    /// <summary>
    /// Time between two checks that the control socket is in its place. A check costs one system call; an operator who finds the socket
    /// gone tries again within a minute.
    /// </summary>
    internal TimeSpan ControlCheckPeriod { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>An app was started, or a version of it; raised on any thread, before its first slave is ready.</summary>
    public event Action<RunningApp>? AppStarted;

    /// <summary>How many apps run and how many could not be started, in words.</summary>
    public string Status => $"{_apps.Running.Count} apps run, {_apps.Failed.Count} failed";

    /// <summary>The endpoints of the control protocol of 2012.</summary>
    public IReadOnlyList<string> ZeroMqControlEndpoints => _jsonControl?.Endpoints ?? [];

    /// <inheritdoc/>
    IClusterControl? IControlHost.Cluster => _cluster;

    /// <inheritdoc/>
    IClusterApps? IControlHost.ClusterApps => _cluster.IsMember ? _changes : null;

    /// <inheritdoc/>
    public IReadOnlyList<AppSummary> Failed =>
        [.. _apps.Failed.Select(app => new AppSummary(app.Name, 0, "failed", 0, 0, 0, 0, 0, [], app.Reason))];

    /// <summary>
    /// Takes the state folder, starts the node, listens for control, and starts the apps. An app that cannot be started is logged, listed
    /// as failed, and does not keep the others from running.
    /// </summary>
    /// <exception cref="NodeException">The node itself cannot run: its folder is taken, or an endpoint cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        _state = StateFolder.Open(_statePath);
        _store = new AppStore(_statePath);
        _reconciler = new AppReconciler(_node, _apps, _gates, _store, _paused, () => _config, Started, _log);
        _clusterApps = new ClusterApps(_cluster, _node, _apps, _store, _paused, _reconciler, _log);
        _reconciler.Cluster = _clusterApps.ApplyAsync;
        _changes = new ClusterAppChanges(_cluster, _clusterApps, _node, _apps, _gates, _store, _reconciler);
        _store.RemoveLeftovers(_log);
        _node.Start();
        _control = await ControlService.OpenAsync(_node, _controlEndpoint, this);
        DaemonLog.ControlListens(_log, _control.Endpoint);
        if (_config.TcpControlEndpoint is { } tcp)
        {
            _remoteControl = await RemoteControl.OpenAsync(_node, tcp, this);
            DaemonLog.ControlListens(_log, string.Join(", ", _remoteControl.Endpoints));
        }

        _ = WatchControlAsync(_control, _ends.Token); // the method throws nothing
        _cluster.Start();
        await _reconciler.ApplyAsync(cancellation);
        _node.TidyRecords();
        if (_config.ZeroMqControlEndpoint is { } endpoint)
        {
            _jsonControl = await JsonControl.OpenAsync(this, endpoint, _log);
            DaemonLog.ControlListens(_log, string.Join(", ", ZeroMqControlEndpoints));
        }
    }

    /// <summary>
    /// Applies another config: apps that came, changed or went, and defaults of the engine. Changes that need a restart are only logged.
    /// Apps that could not be started are tried again.
    /// </summary>
    public async Task ReloadAsync(NodeConfig next, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(next);
        NodeConfig old = _config;
        bool usesTls = _node.Doors.Certificates.Reload(next.Security.Tls);
        foreach (string key in RestartKeys.Of(next, old, _statePath, _controlEndpoint, usesTls))
        {
            DaemonLog.TakesRestart(_log, key);
        }

        await _node.ChangeRulesAsync(next.Security); // first, so that apps may name callers that have come
        if (_control is { } control)
        {
            await control.OnRulesChangedAsync();
            await control.RemakeAsync();
        }

        await (_remoteControl?.OnRulesChangedAsync() ?? Task.CompletedTask);
        _node.LookAtKeys();
        _config = old with
        {
            EngineDefaults = next.EngineDefaults,
            Apps = next.Apps,
            DrainTimeoutMs = next.DrainTimeoutMs,
            LogLevel = next.LogLevel,
            Security = next.Security with
            {
                Tls = usesTls ? next.Security.Tls : old.Security.Tls,
                KeysFolder = old.Security.KeysFolder,
                QuarantineTo = old.Security.QuarantineTo,
            },
        };
        await _reconciler.ApplyAsync(cancellation);
    }

    /// <inheritdoc/>
    public async Task<RunningApp> CreateAsync(ManifestText manifest, CancellationToken cancellation)
    {
        HostedApp app = HostedApp.Read(manifest, _config, isFixed: false);
        string name = app.Manifest.Name;
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation);
        if (_apps.Find(name) is not null)
        {
            throw new NodeException($"app {name} runs already: replace it, or delete it first") { Code = ErrorCodes.BadRequest };
        }

        RefuseFixed(name);
        using PendingFile file = _store.Prepare(name, manifest);
        RunningApp running = await _node.AddAsync(app.Manifest, cancellation);
        try
        {
            AppStore.Commit(name, file);
        }
        catch
        {
            await _node.DeleteAsync(name, TimeSpan.Zero, CancellationToken.None);
            throw;
        }

        _paused.Forget(name); // forgets the pause of an earlier app of this name, whose state was damaged
        Started(app, running);
        return running;
    }

    /// <inheritdoc/>
    public async Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force, CancellationToken cancellation)
    {
        HostedApp app = HostedApp.Read(manifest, _config, isFixed: false);
        string name = app.Manifest.Name;
        if (_clusterApps.Owns(name))
        {
            return await _changes.ReplaceAsync(app, force);
        }

        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation);
        RefuseFixed(name);
        using PendingFile file = _store.Prepare(name, manifest); // a full disk is noticed before any change
        ReplaceOutcome outcome = await _node.ReplaceAsync(app.Manifest, force, lease.GivenUp);
        if (!outcome.Replaced)
        {
            return outcome;
        }

        Started(app, _node.Find(name));
        try
        {
            AppStore.Commit(name, file);
            return outcome;
        }
        catch (NodeException failure)
        {
            throw new NodeException(
                $"version {outcome.ToVersion} of app {name} runs, but is not kept: after a restart {outcome.FromVersion} comes back. "
                + failure.InnerException?.Message, failure);
        }
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string name, TimeSpan drainTimeout, CancellationToken cancellation)
    {
        if (_clusterApps.Owns(name))
        {
            await _changes.DeleteAsync(name);
            return;
        }

        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: true, cancellation);
        RefuseFixed(name);
        if (_apps.Find(name) is null && _apps.ReasonOf(name) is null)
        {
            throw _node.NoApp(name);
        }

        bool runs = _apps.Find(name) is not null;
        void Forget()
        {
            _store.Delete(name); // first, so that a crash meanwhile does not bring the app back
            _apps.Remove(name);
        }

        await _paused.ForgetAsync(name, Forget, cancellation);
        if (runs)
        {
            await _node.DeleteAsync(name, drainTimeout, cancellation);
        }

        if (_cluster.IsMember)
        {
            _clusterApps.OnChange(_ends.Token); // the app may have hidden one of the cluster
        }
    }

    /// <inheritdoc/>
    public Task PauseAsync(string name, CancellationToken cancellation) =>
        _clusterApps.Owns(name) ? _changes.PauseAsync(name, isPaused: true) : _paused.PauseAsync(name, cancellation);

    /// <inheritdoc/>
    public Task ResumeAsync(string name, CancellationToken cancellation) =>
        _clusterApps.Owns(name) ? _changes.PauseAsync(name, isPaused: false) : _paused.ResumeAsync(name, cancellation);

    /// <inheritdoc/>
    public Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation) => _reconciler.RestartAsync(name, cancellation);

    /// <inheritdoc cref="AppReconciler.ReloadAsync"/>
    internal Task<ReplaceOutcome> ReloadAsync(string name, CancellationToken cancellation) => _reconciler.ReloadAsync(name, cancellation);

    /// <summary>Stops listening for control, drains every app and ends: see <see cref="CocaineNode.StopAsync"/>.</summary>
    public async Task StopAsync(TimeSpan drainTimeout, CancellationToken stopNow = default)
    {
        _ends.Cancel(); // not CancelAsync, which goes to the thread pool
        _jsonControl?.Close();
        await (_control?.DisposeAsync() ?? ValueTask.CompletedTask); // the socket lives on a loop of the node, which ends
        _control = null;
        await (_remoteControl?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _cluster.DisposeAsync();
        await _node.StopAsync(drainTimeout, stopNow);
        _state?.Dispose(); // last: until here another node must not take the folder
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(DrainTimeout);

    /// <summary>Checks from time to time that the control socket can still be reached.</summary>
    private async Task WatchControlAsync(ControlService control, CancellationToken end)
    {
        using PeriodicTimer timer = new(ControlCheckPeriod, NodeClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(end))
            {
                await control.RemakeAsync().WaitAsync(end);
            }
        }
        catch (OperationCanceledException)
        {
            // the usual end
        }
    }

    private void Started(HostedApp app, RunningApp? running)
    {
        _apps.SetRunning(app);
        DaemonLog.AppStarted(_log, app.Manifest.Name, app.Manifest.Version, app.Origin);
        if (running is not null)
        {
            _peers.Add(app.IsOfCluster, running);
            AppStarted?.Invoke(running);
        }
    }

    /// <summary>Apps of the config change only with their files, so that a restart brings back the same apps.</summary>
    private void RefuseFixed(string name)
    {
        if (_apps.Find(name) is { IsFixed: true } app)
        {
            throw new NodeException(
                $"app {name} is in the node's config: change {app.Text.FilePath} or the config, and send SIGHUP; for new code alone, "
                + $"'app restart {name}'")
            {
                Code = ErrorCodes.BadRequest,
            };
        }
    }
}
