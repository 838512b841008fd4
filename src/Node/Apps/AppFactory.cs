using System.Runtime.InteropServices;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Backends.Threads;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Places;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// Makes the apps of a node from their manifests and from the parts that the node gives to them, and the backends of their further
/// versions. One call at a time.
/// </summary>
/// <param name="settings">The node's settings.</param>
/// <param name="loops">The loops that apps live on.</param>
/// <param name="zeroMq">The node's ZeroMQ.</param>
/// <param name="records">The records that outlive an engine of an app.</param>
/// <param name="events">Gets the events of apps.</param>
/// <param name="locator">Tells the present address of the node's locator.</param>
/// <param name="log">The node's log.</param>
internal sealed class AppFactory(
    AppFactorySettings settings, NodeLoops loops, NodeZeroMq zeroMq, IAppRecords records, Feed<NodeEvent> events,
    Func<LocatorAddress> locator, ILogger log) : IDisposable
{
    private readonly Dictionary<string, LeftBehind> _left = []; // by app: threads that hang outlive the app's versions, and the app itself
    private ProcessLauncher? _launcher;

    /// <summary>Makes an app on the next loop in turn; the app is not started yet.</summary>
    /// <exception cref="NodeException">The app's slaves cannot run.</exception>
    public RunningApp Create(AppManifest manifest)
    {
        EventLoop loop = loops.Next();
        AppJournal journal = new(manifest.Name, settings.Logs.CreateLogger(manifest.Name), events);
        IReadOnlyList<LoopBackend> backends = BackendsFor(manifest, loop, journal); // first: an exception here leaves nothing to give back
        EngineRecords acquired = records.Acquire(manifest);
        RunningApp? made = null;
        AppParts parts = new(loop, zeroMq.Closing, settings.Drivers, journal, acquired)
        {
            Keeper = settings.Keeper,
            Seals = settings.Seals,
            Tls = settings.Tls(),
            Singletons = task => settings.Singletons(manifest.Name, task, loop),
            Ended = () => records.Release(manifest.Name, acquired, isDeleted: made!.IsClaimed),
            ShardRecords = (shard, step, lastId) => records.AcquireShard(manifest.Name, shard, step, lastId),
        };
        return made = new RunningApp(parts, manifest, backends);
    }

    /// <summary>The loops and backends of an app's version, one for each of its shards.</summary>
    /// <param name="manifest">The version.</param>
    /// <param name="home">The app's first loop.</param>
    /// <param name="journal">The app's log.</param>
    /// <exception cref="NodeException">The slaves cannot run, or there is no room for so many loops.</exception>
    public IReadOnlyList<LoopBackend> BackendsFor(AppManifest manifest, EventLoop home, ILogger journal)
    {
        int shards = manifest.Engine.Shards;
        if (shards == 1)
        {
            return [new LoopBackend(home, BackendFor(manifest, home, journal))];
        }

        try
        {
            return [.. loops.From(home, shards).Select(
                (loop, i) => new LoopBackend(loop, new ShareOfBackend(BackendFor(manifest, loop, journal), i, shards)))];
        }
        catch (Exception failure) when (failure is IOException or OutOfMemoryException or ThreadStartException)
        {
            throw new NodeException(
                $"app {manifest.Name}: {shards} loops cannot be started: {failure.Message}; lower engine.loops, or raise the limits of "
                + "open files (ulimit -n) and of threads (ulimit -u, pids.max)", failure);
        }
    }

    private ISlaveBackend BackendFor(AppManifest manifest, EventLoop loop, ILogger journal)
    {
        if (manifest.Engine.Backend == BackendType.Thread)
        {
            LeftBehind left = CollectionsMarshal.GetValueRefOrAddDefault(_left, manifest.Name, out _) ??= new LeftBehind();
            return new ThreadBackend(manifest, loop, locator(), left, journal);
        }

        try
        {
            if (_launcher is null)
            {
                _launcher = new ProcessLauncher(settings.OwnsProcess);
                if (_launcher.Lack is { } lack)
                {
                    NodeLog.LacksForKill(log, lack);
                }
            }

            return new ProcessBackend(
                manifest, loop, _launcher, new CommandLine(Folders.Sdk(settings.SdkDirectory)), Folders.Sockets(settings.RuntimeDirectory),
                locator(), journal);
        }
        catch (IOException failure)
        {
            throw new NodeException($"app {manifest.Name}: {failure.Message}", failure);
        }
    }

    public void Dispose() => _launcher?.Dispose();
}
