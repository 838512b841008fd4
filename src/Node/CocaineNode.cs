using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Backends.Threads;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Records;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

/// <summary>
/// A node: event loops with apps on them, and a locator. Made from options and manifests; the program <c>cocaine-fast</c> is a shell
/// over it, and another .NET program may host
/// one itself.
/// </summary>
public sealed class CocaineNode : IAsyncDisposable
{
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for unsent ZeroMQ messages at the end, whatever a task's linger says.</summary>
    private static readonly TimeSpan MaxLinger = TimeSpan.FromSeconds(30);

    private readonly NodeOptions _options;
    private readonly ILogger _log;
    private readonly List<EventLoop> _loops = [];
    private readonly List<RunningApp> _apps = [];
    private readonly Lock _lock = new();
    private ProcessLauncher? _launcher;
    private LocatorService? _locator;
    private readonly Lazy<ZeroMqPoller> _zeroMq; // a node without ZeroMQ tasks never starts its thread
    private readonly NodeRecords _records;
    private int _nextLoop;
    private bool _stopped;

    /// <summary>Makes a node; <see cref="Start"/> makes it run.</summary>
    public CocaineNode(NodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Drivers.Keys.FirstOrDefault(name => ManifestKeys.Drivers.ContainsKey(name)) is { } taken)
        {
            throw new ArgumentException($"the node has a driver {taken} already: give yours another name", nameof(options));
        }

        _options = options;
        _log = options.LoggerFactory.CreateLogger("node");
        _records = new NodeRecords(options, name => Apps.FirstOrDefault(app => app.Name == name), _log);
        Quarantine = _records.Quarantine;
        _zeroMq = new Lazy<ZeroMqPoller>(() => new ZeroMqPoller(_log));
    }

    /// <summary>The apps that it runs.</summary>
    public IReadOnlyList<RunningApp> Apps
    {
        get
        {
            lock (_lock)
            {
                return [.. _apps];
            }
        }
    }

    /// <summary>Where the locator listens; empty without one.</summary>
    public IReadOnlyList<string> LocatorEndpoints => _locator?.Endpoints ?? [];

    /// <summary>Starts loops and locator.</summary>
    /// <exception cref="NodeException">The locator's endpoint cannot be used.</exception>
    public void Start()
    {
        int loops = _options.Loops > 0 ? _options.Loops : Math.Max(1, Environment.ProcessorCount / 2);
        for (int i = 0; i < loops; i++)
        {
            EventLoop loop = new(_log, _options.LoopSpinMicroseconds);
            _loops.Add(loop);
            loop.Start($"loop-{i}");
        }

        if (_options.Locator is not { } endpoint)
        {
            return;
        }

        _locator = new LocatorService(this, _loops[0], _log);
        try
        {
            Run(_loops[0], () => _locator.Open(endpoint)).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            _locator = null;
            StopLoops();
            throw new NodeException($"the locator: {failure.Message}; choose another endpoint, or none", failure);
        }
    }

    /// <summary>
    /// Starts an app; returns once its endpoints listen. Its first slave comes up meanwhile: see <see cref="RunningApp.Ready"/>.
    /// </summary>
    /// <exception cref="NodeException">A driver cannot start, or an app of this name runs already.</exception>
    public async Task<RunningApp> AddAsync(AppManifest manifest, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        cancellation.ThrowIfCancellationRequested();
        EventLoop loop;
        RunningApp app;
        lock (_lock)
        {
            if (_apps.Exists(other => other.Name == manifest.Name))
            {
                throw new NodeException($"app {manifest.Name} runs already");
            }

            loop = _loops[_nextLoop++ % _loops.Count];
            app = new RunningApp(manifest, loop, () => _zeroMq.Value, _records, _options.LoggerFactory.CreateLogger(manifest.Name));
            _apps.Add(app);
        }

        try
        {
            ISlaveBackend backend = BackendFor(manifest, loop);
            await Run(loop, () => app.Start(backend, _options.Drivers)).ConfigureAwait(false);
            return app;
        }
        catch
        {
            lock (_lock)
            {
                _apps.Remove(app);
            }

            throw;
        }
    }

    /// <summary>
    /// Drains every app and ends. What is not done within the time, or when <paramref name="stopNow"/> fires, is failed with 503.
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
            await all.WaitAsync(drainTimeout, stopNow).ConfigureAwait(false);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            NodeLog.StopsNow(_log, late is TimeoutException ? "the drain-timeout is over" : "a second signal came");
            foreach (RunningApp app in Apps)
            {
                app.StopNow("the node stops");
            }

            await Task.WhenAny(all, Task.Delay(KillGrace, CancellationToken.None)).ConfigureAwait(false);
        }

        StopLoops();
        await StopZeroMqAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(KillGrace).ConfigureAwait(false);

    internal static Task Run(EventLoop loop, Action action)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        });
        return done.Task;
    }

    /// <summary>The jobs that kill slaves; null when nothing is kept of them.</summary>
    internal IQuarantineControl? Quarantine { get; set; }

    private ISlaveBackend BackendFor(AppManifest manifest, EventLoop loop)
    {
        ILogger log = _options.LoggerFactory.CreateLogger(manifest.Name);
        if (manifest.Engine.Backend == BackendType.Thread)
        {
            return new ThreadBackend(manifest, loop, log);
        }

        _launcher ??= new ProcessLauncher();
        if (!_launcher.HasDeathSignal)
        {
            NodeLog.NoDeathSignal(_log);
        }

        string locator = LocatorEndpoints.FirstOrDefault()?["tcp://".Length..].Replace("[::]", "127.0.0.1", StringComparison.Ordinal)
            ?? "127.0.0.1:10053";
        try
        {
            return new ProcessBackend(manifest, loop, _launcher, new CommandLine(Folders.Sdk(_options.SdkDirectory)), Folders.Sockets(),
                locator, log);
        }
        catch (IOException failure)
        {
            throw new NodeException($"app {manifest.Name}: {failure.Message}", failure);
        }
    }

    private async Task StopZeroMqAsync()
    {
        if (!_zeroMq.IsValueCreated)
        {
            return;
        }

        _zeroMq.Value.Dispose();
        if (_options.OwnsProcess)
        {
            // Its sockets send in the background what they have left, as long as their linger lets them: the process must not end before.
            await Task.WhenAny(Task.Run(ZeroMqPoller.EndAll), Task.Delay(MaxLinger, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    private void StopLoops()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }

        _records.Close();
        _launcher?.Dispose();
    }
}

internal static partial class NodeLog
{
    [LoggerMessage(500, LogLevel.Warning, "stopping at once: {Reason}; jobs that are not done get 503")]
    public static partial void StopsNow(ILogger log, string reason);

    [LoggerMessage(501, LogLevel.Warning,
        "setpriv (util-linux) is not on this machine: workers notice the node's end by their socket only")]
    public static partial void NoDeathSignal(ILogger log);
}
