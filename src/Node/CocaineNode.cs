using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Quarantine;
using Cocaine.Fast.Node.Records;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Trust;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

/// <summary>
/// A node: event loops with apps on them, and a locator. A node is made from options and manifests. The program <c>cocaine-fast</c> is a
/// shell around it, and another .NET program may host a node itself.
/// </summary>
public sealed class CocaineNode : IAsyncDisposable
{
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    private readonly NodeOptions _options;
    private readonly ILogger _log;
    private readonly Feed<NodeEvent> _events = AppJournal.CreateEvents();
    private readonly NodeLoops _loops;
    private readonly NodeApps _apps;
    private readonly NodeZeroMq _zeroMq = new();
    private readonly NodeRecords _records;
    private readonly AppFactory _factory;
    private readonly NodeDoors _doors;
    private readonly NodeLifetime _lifetime = new();
    private bool _stopped;      // StopAsync was called
    private int _loopsStopped;  // 1 once everything from Start was given back: by a start that failed, or by the stop

    /// <summary>Makes a node; <see cref="Start"/> makes it run.</summary>
    public CocaineNode(NodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Drivers.Keys.FirstOrDefault(name => DriverRegistry.Table.Find(name) is not null) is { } taken)
        {
            throw new ArgumentException($"the node has a driver {taken} already: give yours another name", nameof(options));
        }

        _options = options;
        _log = new AppJournal("", options.LoggerFactory.CreateLogger("node"), _events);
        _doors = new NodeDoors(options, _events, _log);
        _loops = new NodeLoops(options.Loops, options.LoopSpinMicroseconds, _log);
        _records = new NodeRecords(options.LedgerDirectory, options.StateDirectory, Find, _doors.Quarantine, _log);
        AppFactorySettings settings = new(
            options.LoggerFactory, options.Drivers, options.OwnsProcess, options.SdkDirectory, options.RuntimeDirectory,
            _doors.Keeper, _doors.Seals, () => _doors.Certificates.Tls)
        { Singletons = options.Singletons };
        LocatorAddress Locator() => LocatorAddress.Of(LocatorEndpoints.FirstOrDefault(), options.LocatorTls);
        _factory = new AppFactory(settings, _loops, _zeroMq, _records, _events, Locator, _log);
        _apps = new NodeApps(_factory);
    }

    /// <summary>The apps that run on the node.</summary>
    public IReadOnlyList<RunningApp> Apps => _apps.All;

    /// <summary>The endpoints of the locator; empty without a locator.</summary>
    public IReadOnlyList<string> LocatorEndpoints => _doors.LocatorEndpoints;

    /// <summary>The endpoints of the service <c>node</c>; empty without it.</summary>
    public IReadOnlyList<string> NodeServiceEndpoints => _doors.ServiceEndpoints;

    /// <summary>Clients of the locator that are connected.</summary>
    internal int LocatorConnections => _doors.LocatorConnections;

    /// <summary>Starts loops and locator.</summary>
    /// <exception cref="NodeException">
    /// The locator's endpoint cannot be used, or there are no descriptors or threads for the loops. Nothing is left running in this case.
    /// </exception>
    public void Start()
    {
        try
        {
            if (_options.StateDirectory is { Length: > 0 } state)
            {
                PrivateFolder.Make(state);
            }
        }
        catch (IOException failure)
        {
            throw new NodeException($"the state folder: {failure.Message}", failure);
        }

        _doors.ReadKeys();
        _doors.Certificates.Start();
        try
        {
            NodeThreads.Warm();
            NodeClock.Instance.Warm();
            _loops.Start();
            NodeRoom.SetBase();
        }
        catch (Exception failure) when (failure is IOException or OutOfMemoryException or ThreadStartException)
        {
            StopLoops();
            string reason = failure is IOException ? failure.Message : "there is no thread for it";
            throw new NodeException(
                $"an event loop cannot be started: {reason}; raise the limits of open files (ulimit -n) and of threads "
                + "(ulimit -u, pids.max)", failure);
        }

        try
        {
            _doors.Open(_loops.First, () => Apps, (app, paused) => paused ? PauseAsync(app) : ResumeAsync(app));
        }
        catch (NodeException)
        {
            StopLoops();
            throw;
        }
    }

    /// <summary>
    /// Starts an app; returns once its endpoints listen. The app's first slave comes up meanwhile: see <see cref="RunningApp.Ready"/>.
    /// </summary>
    /// <exception cref="NodeException">A driver cannot start, or an app with this name runs already.</exception>
    public Task<RunningApp> AddAsync(AppManifest manifest, CancellationToken cancellation = default) =>
        AddAsync(manifest, paused: false, cancellation);

    /// <summary>Starts an app. With <paramref name="paused"/> the app takes no job until it is resumed.</summary>
    internal async Task<RunningApp> AddAsync(AppManifest manifest, bool paused, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        cancellation.ThrowIfCancellationRequested();
        RunningApp app = _apps.Add(manifest);
        try
        {
            // A node that stops meanwhile does not start the app.
            await _lifetime.UntilEndAsync(app.Loop.RunAsync(() => app.Start(paused)));
            return app;
        }
        catch
        {
            _apps.Remove(app);
            throw;
        }
    }

    /// <summary>
    /// Replaces the running version of an app by another one, without losing a job. The new version's slaves come up beside the old ones;
    /// then new jobs go to them, and the old slaves finish their jobs. Returns when new jobs go to the new version, or when the new version
    /// did not come up: the old one then continues unchanged. See docs/reload.md.
    /// </summary>
    /// <param name="next">The new version; its name tells which app to replace.</param>
    /// <param name="force">Replace also when the version is not higher.</param>
    /// <param name="cancellation">Gives up before the switch: the old version continues.</param>
    /// <exception cref="NodeException">
    /// No such app runs (404), the version is not higher (400), or the app is being replaced or deleted already (503).
    /// </exception>
    public Task<ReplaceOutcome> ReplaceAsync(AppManifest next, bool force = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(next);
        RunningApp app = _apps.Get(next.Name);
        IReadOnlyList<LoopBackend> loops = _apps.BackendsFor(next, app);
        return _lifetime.UntilEndAsync(app.ReplaceAsync(next, loops, force, cancellation));
    }

    /// <summary>
    /// Replaces an app by itself: its code is loaded anew, the present manifest stays, and no job is lost. When the new slaves do not come
    /// up, the old ones continue. A paused app stays paused; bounds that were scaled go back to those of the manifest.
    /// </summary>
    /// <param name="name">The app.</param>
    /// <param name="cancellation">Gives up before the switch: the old slaves continue.</param>
    /// <exception cref="NodeException">No such app runs (404), or the app is being replaced or deleted already (503).</exception>
    public async Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation = default)
    {
        AppManifest manifest = _apps.Get(name).Manifest;
        ReplaceOutcome outcome = await ReplaceAsync(manifest, force: true, cancellation);
        return outcome with { Note = RestartNote.Of(manifest) };
    }

    /// <summary>
    /// Ends an app: it takes no more jobs, finishes its jobs within the time, and is gone; its endpoints are free then. A job that is not
    /// done within the time, or when <paramref name="cancellation"/> fires, fails with 503. A replacement under way is given up.
    /// </summary>
    /// <exception cref="NodeException">No such app runs (404), or the app is being deleted already (503).</exception>
    public async Task DeleteAsync(string name, TimeSpan drainTimeout, CancellationToken cancellation = default)
    {
        RunningApp app = _apps.Get(name);
        if (!app.TryClaimEnd())
        {
            throw new NodeException($"app {name} is being deleted already") { Code = ErrorCodes.ResourceError };
        }

        Task stopped = app.DrainAsync();
        try
        {
            await _lifetime.UntilEndAsync(stopped.WaitAsync(drainTimeout, NodeClock.Instance, cancellation));
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            NodeLog.DeletesNow(_log, name, late is TimeoutException ? "its drain-timeout is over" : "the wait was given up");
            app.StopNow("the app is deleted");
            await Task.WhenAny(stopped, Task.Delay(KillGrace, NodeClock.Instance));
        }

        _apps.Remove(app);
        app.Journal.Lines.End();
        NodeLog.Deleted(_log, name);
        _records.Tidy();
    }

    /// <summary>
    /// Makes an app take no new jobs: callers get 503, ticks of timers are skipped and counted, and data of a ZeroMQ sink or a file monitor
    /// waits. Running and waiting jobs are finished; endpoints stay open. Does nothing when the app is paused.
    /// </summary>
    /// <exception cref="NodeException">No such app runs (404).</exception>
    public Task PauseAsync(string name) => OnLoopAsync(name, app => app.Pause(true));

    /// <summary>Makes the app take jobs again. Does nothing when the app is not paused.</summary>
    /// <exception cref="NodeException">No such app runs (404).</exception>
    public Task ResumeAsync(string name) => OnLoopAsync(name, app => app.Pause(false));

    /// <summary>
    /// Sets the bounds of an app's pool at once; null leaves a bound as it is. Slaves over a lower limit retire when they are idle, never
    /// within a job. The manifest's bounds come back with the next version.
    /// </summary>
    /// <exception cref="NodeException">No such app runs (404), or the bounds are invalid (400).</exception>
    public Task ScaleAsync(string name, int? minimum = null, int? limit = null) => OnLoopAsync(name, app => app.Scale(minimum, limit));

    /// <summary>
    /// The last lines that an app's workers wrote, up to a bound; then, with <paramref name="follow"/>, new lines until the app is gone. A
    /// reader that is too slow loses the oldest lines and gets their number.
    /// </summary>
    /// <exception cref="NodeException">No such app runs (404).</exception>
    public IAsyncEnumerable<LogLine> Logs(string name, bool follow = true, CancellationToken cancellation = default) =>
        _apps.Get(name).Journal.Lines.ReadAsync(filter: null, follow, cancellation);

    /// <summary>
    /// The last events of an app, or of the node and all of its apps; then, with <paramref name="follow"/>, new events. The app need not
    /// run. A reader that is too slow loses the oldest events and gets their number.
    /// </summary>
    public IAsyncEnumerable<NodeEvent> Events(string? name = null, bool follow = true, CancellationToken cancellation = default) =>
        _events.ReadAsync(name is null ? null : one => one.App == name, follow, cancellation);

    /// <summary>The app with this name, or null.</summary>
    public RunningApp? Find(string name) => _apps.Find(name);

    /// <summary>
    /// Drains every app and ends. A job that is not done within the time, or when <paramref name="stopNow"/> fires, fails with 503.
    /// </summary>
    public async Task StopAsync(TimeSpan drainTimeout, CancellationToken stopNow = default)
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        Task all = Task.WhenAll(Apps.Select(app => app.DrainAsync()));
        try
        {
            await all.WaitAsync(drainTimeout, NodeClock.Instance, stopNow);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            NodeLog.StopsNow(_log, late is TimeoutException ? "the drain-timeout is over" : "a second signal came");
            foreach (RunningApp app in Apps)
            {
                app.StopNow("the node stops");
            }

            await Task.WhenAny(all, Task.Delay(KillGrace, NodeClock.Instance));
        }

        await _zeroMq.StopAsync();
        StopLoops();
        _lifetime.End();
        foreach (RunningApp app in Apps)
        {
            app.Journal.Lines.End();
        }

        _events.End();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(KillGrace);

    /// <summary>The doors of the node itself, and the rules of all doors.</summary>
    internal NodeDoors Doors => _doors;

    /// <summary>Other rules hold for all doors from now on.</summary>
    internal Task ChangeRulesAsync(SecurityConfig rules) => _lifetime.UntilEndAsync(_doors.ChangeRulesAsync(rules, _loops.First, Apps));

    /// <summary>Completes when the node's loops have ended: work that is posted to them then never runs.</summary>
    internal Task Ended => _lifetime.Ended;

    /// <summary>The node's log, which also keeps its lines as events.</summary>
    internal ILogger Log => _log;

    internal IReadOnlyList<EventLoop> Loops => _loops.All;

    /// <summary>The jobs that killed their slaves.</summary>
    internal IQuarantineControl Quarantine => _records.Quarantine;

    /// <summary>The apps of this node are up: from now on the records of other apps' jobs are bounded.</summary>
    internal void TidyRecords() => _records.Tidy();

    /// <summary>The time at which the node was made, by the wall clock.</summary>
    internal DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    private Task OnLoopAsync(string name, Action<RunningApp> action)
    {
        RunningApp app = _apps.Get(name);
        return _lifetime.UntilEndAsync(app.OnLoopsAsync(() => action(app)));
    }

    /// <summary>There are events of an app, which may be gone itself.</summary>
    internal bool HasEvents(string name) => _events.Has(one => one.App == name);

    /// <summary>The text about an app that does not run here.</summary>
    internal NodeException NoApp(string name) => _apps.Missing(name);

    /// <summary>A loop for parts that belong to no app.</summary>
    internal EventLoop FirstLoop => _loops.First;

    /// <summary>Hears of the time that ZeroMQ sockets take to close.</summary>
    internal ClosingSockets ZeroMq => _zeroMq.Closing;

    /// <summary>Looks soon whether the keys of sealed jobs have changed; the node also looks by itself each 10 s.</summary>
    internal void LookAtKeys() => _doors.Seals.LookAtKeys();

    /// <summary>Completes when every loop has run it: a loop that is stuck in a handler does not.</summary>
    internal Task PingAsync() => _loops.PingAsync();

    private void StopLoops()
    {
        if (Interlocked.Exchange(ref _loopsStopped, 1) == 1)
        {
            return;
        }

        _doors.Seals.Dispose();
        _loops.Dispose();
        _records.Close();
        _factory.Dispose();
        _doors.Certificates.Dispose();
    }
}
