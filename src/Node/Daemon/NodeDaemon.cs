using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Transport.Files;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// A node that stays: it keeps the apps that are created in its state folder, runs those that its config names, and is controlled over a
/// Unix socket. See docs/node.md.
/// </summary>
public sealed class NodeDaemon : IControlHost, IAsyncDisposable
{
    private readonly CocaineNode _node;
    private readonly ILogger _log;
    private readonly HostedApps _apps = new();
    private readonly NameGates _gates = new();
    private readonly string _statePath;
    private readonly string _controlEndpoint;
    private volatile NodeConfig _config;
    private StateFolder? _state;
    private AppStore _store = null!; // from StartAsync on
    private ControlService? _control;
    private JsonControl? _jsonControl;

    /// <summary>Makes a daemon; <see cref="StartAsync"/> makes it run.</summary>
    /// <param name="config">How it is run.</param>
    /// <param name="logging">Where the log goes.</param>
    /// <param name="ownsProcess">The process ends with it: see <see cref="NodeOptions.OwnsProcess"/>.</param>
    public NodeDaemon(NodeConfig config, ILoggerFactory logging, bool ownsProcess = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(logging);
        _config = config;
        _log = logging.CreateLogger("node");
        _statePath = config.StateFolder ?? Folders.State();
        _controlEndpoint = config.ControlEndpoint ?? Folders.ControlEndpoint();
        _node = new CocaineNode(new NodeOptions
        {
            Loops = config.Loops,
            Locator = config.Locator,
            StateDirectory = _statePath,
            LedgerDirectory = config.LedgerFolder,
            OwnsProcess = ownsProcess,
            LoggerFactory = logging,
        });
    }

    /// <summary>The node itself.</summary>
    public CocaineNode Node => _node;

    /// <summary>How long jobs may take to finish at a stop.</summary>
    public TimeSpan DrainTimeout => TimeSpan.FromMilliseconds(_config.DrainTimeoutMs);

    /// <summary>An app was started, or a version of it; raised on any thread, before its first slave is ready.</summary>
    public event Action<RunningApp>? AppStarted;

    /// <summary>How many apps run and how many could not be started, in words.</summary>
    public string Status => $"{_apps.Running.Count} apps run, {_apps.Failed.Count} failed";

    /// <summary>Where the control protocol of 2012 is served.</summary>
    public IReadOnlyList<string> ZeroMqControlEndpoints => _jsonControl?.Endpoints ?? [];

    /// <inheritdoc/>
    public IReadOnlyList<AppSummary> Failed =>
        [.. _apps.Failed.Select(app => new AppSummary(app.Name, 0, "failed", 0, 0, 0, 0, 0, [], app.Reason))];

    /// <summary>
    /// Takes the state folder, starts the node, listens for control, and brings the apps up. An app that cannot be started is logged,
    /// listed as failed, and does not keep the others from running.
    /// </summary>
    /// <exception cref="NodeException">The node itself cannot run: its folder is taken, an endpoint cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        _state = StateFolder.Open(_statePath);
        _store = new AppStore(_statePath);
        _store.RemoveLeftovers(_log);
        _node.Start();
        _control = await ControlService.OpenAsync(_node, _controlEndpoint, this).ConfigureAwait(false);
        DaemonLog.ControlListens(_log, _control.Endpoint);
        await ApplyAsync(cancellation).ConfigureAwait(false);
        if (_config.ZeroMqControlEndpoint is { } endpoint)
        {
            _jsonControl = await JsonControl.OpenAsync(this, endpoint, _log).ConfigureAwait(false);
            DaemonLog.ControlListens(_log, string.Join(", ", ZeroMqControlEndpoints));
        }
    }

    /// <summary>
    /// Applies another config: apps that came, changed or went, and defaults of the engine. What takes a restart is logged and left.
    /// Apps that could not be started are tried again.
    /// </summary>
    public async Task ReloadAsync(NodeConfig next, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(next);
        NodeConfig old = _config;
        (string Key, bool Differs)[] fixedKeys =
        [
            ("state", (next.StateFolder ?? Folders.State()) != _statePath),
            ("ledger", next.LedgerFolder != old.LedgerFolder),
            ("control.endpoint", (next.ControlEndpoint ?? Folders.ControlEndpoint()) != _controlEndpoint),
            ("control.zeromq", next.ZeroMqControlEndpoint != old.ZeroMqControlEndpoint),
            ("locator", next.Locator != old.Locator),
            ("loops", next.Loops != old.Loops),
            ("log.format", next.LogFormat != old.LogFormat),
        ];
        foreach ((string key, _) in fixedKeys.Where(pair => pair.Differs))
        {
            DaemonLog.TakesRestart(_log, key);
        }

        _config = old with
        {
            EngineDefaults = next.EngineDefaults,
            Apps = next.Apps,
            DrainTimeoutMs = next.DrainTimeoutMs,
            LogLevel = next.LogLevel,
        };
        await ApplyAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<RunningApp> CreateAsync(ManifestText manifest, CancellationToken cancellation)
    {
        HostedApp app = Read(manifest, isFixed: false);
        string name = app.Manifest.Name;
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation).ConfigureAwait(false);
        if (_apps.Find(name) is not null)
        {
            throw new NodeException($"app {name} runs already: replace it, or delete it first") { Code = ErrorCodes.BadRequest };
        }

        RefuseFixed(name);
        using PendingFile file = _store.Prepare(name, manifest);
        RunningApp running = await _node.AddAsync(app.Manifest, cancellation).ConfigureAwait(false);
        try
        {
            AppStore.Commit(name, file);
        }
        catch
        {
            await _node.DeleteAsync(name, TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        Started(app, running);
        return running;
    }

    /// <inheritdoc/>
    public async Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force, CancellationToken cancellation)
    {
        HostedApp app = Read(manifest, isFixed: false);
        string name = app.Manifest.Name;
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation).ConfigureAwait(false);
        RefuseFixed(name);
        using PendingFile file = _store.Prepare(name, manifest); // a full disk shows before anything has changed
        ReplaceOutcome outcome = await _node.ReplaceAsync(app.Manifest, force, lease.GivenUp).ConfigureAwait(false);
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
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: true, cancellation).ConfigureAwait(false);
        RefuseFixed(name);
        if (_apps.Find(name) is null && _apps.ReasonOf(name) is null)
        {
            throw new NodeException($"no app {name} runs here") { Code = ErrorCodes.NotFound };
        }

        _store.Delete(name); // first: a crash meanwhile does not bring it back
        bool runs = _apps.Find(name) is not null;
        _apps.Remove(name);
        if (runs)
        {
            await _node.DeleteAsync(name, drainTimeout, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Replaces an app by what its manifest is now, of its file when the config names it, whatever the version.</summary>
    internal async Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation).ConfigureAwait(false);
        HostedApp old = _apps.Find(name) ?? throw new NodeException($"no app {name} runs here") { Code = ErrorCodes.NotFound };
        ManifestText text = old.IsFixed ? TextOf(old.Text.FilePath) : old.Text;
        return await ReplaceAsync(Read(text, old.IsFixed), lease.GivenUp).ConfigureAwait(false);
    }

    /// <summary>Stops listening for control, drains every app and ends: see <see cref="CocaineNode.StopAsync"/>.</summary>
    public async Task StopAsync(TimeSpan drainTimeout, CancellationToken stopNow = default)
    {
        _jsonControl?.Close();
        if (_control is not null)
        {
            await _control.DisposeAsync().ConfigureAwait(false); // lives on a loop of the node, which ends
            _control = null;
        }

        await _node.StopAsync(drainTimeout, stopNow).ConfigureAwait(false);
        _state?.Dispose(); // last: until here another node must not take what this one has
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(DrainTimeout).ConfigureAwait(false);

    /// <summary>Makes the apps that run those that should: of the config, and of the state folder.</summary>
    private async Task ApplyAsync(CancellationToken cancellation)
    {
        ApplyCounts counts = new();
        Dictionary<string, HostedApp> wanted = ReadFixed(counts, out HashSet<string> unreadable);
        foreach (HostedApp app in _apps.Running.Where(app => app.IsFixed && !wanted.ContainsKey(app.Manifest.Name)
            && !unreadable.Contains(app.Text.FilePath))) // what cannot be read now goes on as it was
        {
            await EndFixedAsync(app.Manifest.Name, counts, cancellation).ConfigureAwait(false);
        }

        foreach ((string name, HostedApp app) in wanted)
        {
            await EnsureAsync(name, () => app, counts, cancellation).ConfigureAwait(false);
        }

        HashSet<string> known = [.. wanted.Keys, .. unreadable];
        foreach (StoredApp stored in _store.Load())
        {
            known.Add(stored.Name);
            if (wanted.TryGetValue(stored.Name, out HostedApp? hiding))
            {
                DaemonLog.StoredIsHidden(_log, stored.Name, hiding.Text.FilePath);
                continue;
            }

            // Read again with the right to change the app: someone may have replaced or deleted it since.
            await EnsureAsync(stored.Name, () => ReadStored(stored.Name), counts, cancellation).ConfigureAwait(false);
        }

        _apps.KeepFailures(known);
        DaemonLog.Applied(_log, counts.Added, counts.Changed, counts.Removed, counts.Failed);
    }

    /// <summary>The apps of the config by name, and the files that are none.</summary>
    private Dictionary<string, HostedApp> ReadFixed(ApplyCounts counts, out HashSet<string> unreadable)
    {
        Dictionary<string, HostedApp> wanted = [];
        unreadable = [];
        foreach (string path in _config.Apps)
        {
            try
            {
                HostedApp app = Read(TextOf(path), isFixed: true);
                if (!wanted.TryAdd(app.Manifest.Name, app))
                {
                    throw new NodeException($"{path}: another manifest of the config has the name {app.Manifest.Name} already");
                }
            }
            catch (Exception failure) when (failure is NodeException or ManifestException)
            {
                unreadable.Add(path);
                Fail(_apps.Running.FirstOrDefault(app => app.IsFixed && app.Text.FilePath == path)?.Manifest.Name ?? path, failure, counts);
            }
        }

        return wanted;
    }

    private HostedApp? ReadStored(string name)
    {
        if (_apps.Find(name) is { IsFixed: false } running)
        {
            return Read(running.Text, isFixed: false);
        }

        StoredApp? stored = _store.Find(name);
        return stored is null ? null : stored.Problem is { } problem ? throw new NodeException(problem)
            : Read(stored.Manifest!, isFixed: false);
    }

    /// <summary>Starts an app or replaces what runs under its name; a failure is logged and listed, and goes no further.</summary>
    /// <param name="name">The app.</param>
    /// <param name="read">What it should be; null when it is gone.</param>
    /// <param name="counts">Gets what was done.</param>
    /// <param name="cancellation">The node stops.</param>
    private async Task EnsureAsync(string name, Func<HostedApp?> read, ApplyCounts counts, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation).ConfigureAwait(false);
        try
        {
            HostedApp? old = _apps.Find(name);
            if (read() is not { } app || (old is not null && old.IsSameAs(app) && old.IsFixed == app.IsFixed))
            {
                return;
            }

            if (old is null)
            {
                Started(app, await _node.AddAsync(app.Manifest, lease.GivenUp).ConfigureAwait(false));
                counts.Added++;
            }
            else if (await ReplaceAsync(app, lease.GivenUp).ConfigureAwait(false) is { Replaced: false } outcome)
            {
                throw new NodeException($"version {outcome.ToVersion} did not come up, {outcome.FromVersion} goes on: {outcome.Reason}");
            }
            else
            {
                counts.Changed++;
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            Fail(name, failure, counts);
        }
    }

    private async Task EndFixedAsync(string name, ApplyCounts counts, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: true, cancellation).ConfigureAwait(false);
        _apps.Remove(name);
        try
        {
            await _node.DeleteAsync(name, DrainTimeout, cancellation).ConfigureAwait(false);
            counts.Removed++;
        }
        catch (NodeException failure)
        {
            Fail(name, failure, counts);
        }
    }

    /// <summary>Replaces what runs under the app's name; with the right to change it.</summary>
    private async Task<ReplaceOutcome> ReplaceAsync(HostedApp app, CancellationToken cancellation)
    {
        ReplaceOutcome outcome = await _node.ReplaceAsync(app.Manifest, force: true, cancellation).ConfigureAwait(false);
        if (outcome.Replaced)
        {
            Started(app, _node.Find(app.Manifest.Name));
        }

        return outcome;
    }

    private void Started(HostedApp app, RunningApp? running)
    {
        _apps.SetRunning(app);
        DaemonLog.AppStarted(_log, app.Manifest.Name, app.Manifest.Version, app.Origin);
        if (running is not null)
        {
            AppStarted?.Invoke(running);
        }
    }

    private void Fail(string name, Exception failure, ApplyCounts counts)
    {
        counts.Failed++;
        string reason = failure is NodeException or ManifestException ? failure.Message : failure.ToString();
        if (_apps.Find(name) is null)
        {
            _apps.SetFailed(name, reason);
            DaemonLog.AppSkipped(_log, name, reason);
        }
        else
        {
            DaemonLog.ReloadProblem(_log, $"app {name} goes on as it was: {reason}");
        }
    }

    /// <summary>Apps of the config change with their files, so that a restart gives what ran before it.</summary>
    private void RefuseFixed(string name)
    {
        if (_apps.Find(name) is { IsFixed: true } app)
        {
            throw new NodeException(
                $"app {name} is in the node's config: change {app.Text.FilePath} or the config, and send SIGHUP")
            {
                Code = ErrorCodes.BadRequest,
            };
        }
    }

    private HostedApp Read(ManifestText text, bool isFixed)
    {
        ManifestResult result = ManifestReader.Read(
            text.Utf8.Span, text.FilePath, checkFiles: true, defaults: _config.EngineDefaults);
        return new HostedApp(text, result.Manifest ?? throw new ManifestException(result.Problems), isFixed);
    }

    private static ManifestText TextOf(string path) => JsonText.ReadFile(path, "manifest", out string problem) is { } bytes
        ? new ManifestText(bytes, path) : throw new NodeException($"{path}: {problem}");

    private sealed class ApplyCounts
    {
        public int Added { get; set; }

        public int Changed { get; set; }

        public int Removed { get; set; }

        public int Failed { get; set; }
    }
}
