using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Apps;

/// <summary>An app that a node runs, whichever version takes jobs. Members that are not public live on the app's loop.</summary>
public sealed class RunningApp
{
    /// <summary>
    /// The most older versions with jobs at the time of a replacement: each keeps slaves alive, and no job is ended for a reload.
    /// </summary>
    private const int MaxOlder = 8;

    private readonly TaskCompletionSource _ready = new();
    private readonly TaskCompletionSource _stopped = new();
    private readonly EventLoop _loop;
    private readonly AppParts _parts;
    private readonly ILogger _log;
    private readonly AppShards _shards;
    private readonly TaskSet _tasks;                // those of the home
    private readonly List<AppVersion> _older = [];  // versions that finish their jobs; valid in every phase
    private AppVersion _version;                    // takes new jobs; valid in every phase
    private int _claimed;                           // 1 once a caller deletes the app
    private Replacement? _replacement;              // valid in Replacing

    internal RunningApp(AppParts parts, AppManifest manifest, IReadOnlyList<LoopBackend> loops)
    {
        Name = manifest.Name;
        _parts = parts with { TryHand = (task, descriptor) => _shards!.TryHand(task, descriptor) };
        _loop = parts.Loop;
        _log = parts.Log;
        _tasks = new TaskSet(Name, _parts, AskInfo, done => AppView.Gather(this, view => done(view.Sums)));
        _tasks.LateOpened += () => Endpoints = _tasks.Endpoints;
        _shards = new AppShards(Name, new AppShard(0, _parts, _tasks), AskInfo, loops);
        _version = new AppVersion(manifest, _shards.All, loops);
    }

    /// <summary>The app's name.</summary>
    public string Name { get; }

    /// <summary>The manifest of the version that takes new jobs.</summary>
    public AppManifest Manifest => Volatile.Read(ref _version).Manifest; // published by the loop in Switch, read by any thread

    /// <summary>The endpoints that the app's tasks listen on.</summary>
    public IReadOnlyList<TaskEndpoint> Endpoints { get; private set; } = [];

    /// <summary>The endpoints of the monitoring socket; empty when the app has none.</summary>
    public IReadOnlyList<string> PubsubEndpoints => _tasks.Publisher?.Endpoints ?? [];

    /// <summary>
    /// Completes when the first slave is ready; fails with a <see cref="NodeException"/> when the app is broken: three starts in a row
    /// failed. A broken app answers 500 and keeps trying. The task is about the version that the app was created with, or about its
    /// replacement if that came up before the first version was decided.
    /// </summary>
    public Task Ready => _ready.Task;

    /// <summary>Completes when the app was deleted and has ended.</summary>
    internal Task Ended => _stopped.Task;

    internal AppPhase Phase { get; private set; } = AppPhase.Starting;

    internal AppVersion Version => _version;

    internal AppEngine Engine => _version.Engine;

    internal IReadOnlyList<Driver> Drivers => [.. _tasks.Tasks.Select(task => task.Driver)];

    internal IReadOnlyList<AppVersion> Older => _older;

    internal Replacement? Replacement => _replacement;

    /// <summary>The tasks with their drivers, on the app's first loop.</summary>
    internal TaskSet Tasks => _tasks;

    /// <summary>The app on each of its loops.</summary>
    internal AppShards Shards => _shards;

    internal EventLoop Loop => _loop;

    internal AppJournal Journal => _parts.Log;

    /// <summary>The app's state as JSON: the answer to <c>info</c>.</summary>
    public Task<string> InfoJsonAsync() => AppView.AskAsync(this, view => AppInfo.Text(this, view, forOperators: true));

    /// <summary>The same as any caller of the app may see it.</summary>
    internal Task<string> PublicInfoAsync() => AppView.AskAsync(this, view => AppInfo.Text(this, view, forOperators: false));

    /// <summary>The app takes no jobs until it is resumed. From another thread than its loop's, the word may be a moment old.</summary>
    internal bool IsPaused => _version.Engine.IsPaused;

    /// <summary>The app's row in a list of apps.</summary>
    public Task<AppSummary> SummaryAsync() => AppView.AskAsync(this, view => AppInfo.Summary(this, view));

    /// <summary>Does something on the app's first loop; completes once the other loops have done what came of it.</summary>
    internal Task OnLoopsAsync(Action action) => _shards.SettleAsync(action);

    /// <summary>Opens drivers and launches the first slaves; on the loop.</summary>
    internal void Start(bool paused)
    {
        Pause(paused); // before a driver can bring a job
        foreach (AppEngine engine in _version.Engines)
        {
            engine.SlaveReady += () => NodeThreads.Complete(_ready);
            engine.Broken += cause => NodeThreads.Fail(_ready, new NodeException($"app {Name} is broken: {cause}"));
        }

        try
        {
            _tasks.Commit(_tasks.Prepare(Manifest, _version.Engine));
        }
        catch
        {
            MoveTo(AppPhase.Stopped);
            _parts.Ended();
            NodeThreads.Complete(_stopped);
            throw;
        }

        Endpoints = _tasks.Endpoints;
        MoveTo(AppPhase.Serving);
        ReloadLog.Started(_log, Name, Manifest.Version, _tasks.Tasks.Count);
        _shards.Switch(before: null, _version);
        _version.Start();
    }

    /// <summary>See <see cref="CocaineNode.ReplaceAsync"/>.</summary>
    internal async Task<ReplaceOutcome> ReplaceAsync(
        AppManifest next, IReadOnlyList<LoopBackend> loops, bool force, CancellationToken cancellation)
    {
        await _shards.WidenAsync(loops.Count);
        Replacement? replacement = null;
        await _loop.RunAsync(() => replacement = BeginReplacement(next, loops, force));
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            _ => _loop.Post(() => Decide(replacement!, "it was cancelled")), null);
        return await replacement!.Outcome;
    }

    /// <summary>True for the first caller that deletes the app.</summary>
    internal bool TryClaimEnd() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>A caller deletes the app.</summary>
    internal bool IsClaimed => Volatile.Read(ref _claimed) == 1; // the other half is in TryClaimEnd

    /// <summary>Takes no more jobs, finishes the accepted ones, ends the slaves of all versions.</summary>
    internal Task DrainAsync()
    {
        _loop.Post(Drain);
        return _stopped.Task;
    }

    /// <summary>Ends at once; after <see cref="DrainAsync"/>.</summary>
    internal void StopNow(string reason) => _loop.Post(() =>
    {
        foreach (AppVersion version in _older.ToArray())
        {
            version.StopNow(reason);
        }
    });

    /// <summary>Refuses new jobs, or takes them again; on the loop.</summary>
    internal void Pause(bool paused)
    {
        if (_version.Engine.IsPaused == paused)
        {
            return;
        }

        _version.Pause(paused);
        if (paused)
        {
            ReloadLog.Paused(_log, Name);
        }
        else
        {
            ReloadLog.Resumed(_log, Name);
        }
    }

    /// <summary>Sets the bounds of the pool that takes jobs; on the loop.</summary>
    internal void Scale(int? minimum, int? limit)
    {
        int least = minimum ?? _version.Minimum, most = limit ?? _version.Limit;
        if (_version.ProblemOf(least, most) is { } problem)
        {
            throw Refusal(ErrorCodes.BadRequest, problem);
        }

        _version.SetBounds(least, most);
        ReloadLog.Scaled(_log, Name, least, most);
    }

    private Replacement BeginReplacement(AppManifest next, IReadOnlyList<LoopBackend> loops, bool force)
    {
        if (Phase != AppPhase.Serving)
        {
            throw Refusal(ErrorCodes.ResourceError, Phase == AppPhase.Replacing
                ? $"is being replaced by version {_replacement!.Next.Manifest.Version} already: wait until that is decided"
                : $"is {Phase.ToString().ToLowerInvariant()}");
        }

        if (next.Version <= Manifest.Version && !force)
        {
            throw Refusal(ErrorCodes.BadRequest, $"runs version {Manifest.Version}, and {next.Version} is not higher: "
                + "raise 'version' in the manifest, or force the replacement");
        }

        if (_older.Count >= MaxOlder)
        {
            throw Refusal(ErrorCodes.ResourceError, $"has {_older.Count} older versions with jobs still: wait until they are done");
        }

        MoveTo(AppPhase.Replacing);
        _shards.AddFor(loops);
        Replacement replacement = new(_version, new AppVersion(next, _shards.All, loops));
        _replacement = replacement;

        // As many slaves as there are ready ones: a pool of one would refuse jobs that the old pool could take.
        int wanted = Math.Clamp(_version.Ready, Math.Max(1, next.Engine.PoolMinimum), next.Engine.PoolLimit);
        ReloadLog.Begins(_log, Name, Manifest.Version, next.Version, wanted);

        // Posted, because the decision comes in the middle of the engine's work.
        replacement.Next.ComeUp(wanted, failure => _loop.Post(() => Decide(replacement, failure)));
        return replacement;
    }

    /// <summary>
    /// The next version is up (null), or failed: the app switches to it or stays with the old version. Only the first decision counts.
    /// </summary>
    private void Decide(Replacement replacement, string? failure)
    {
        if (_replacement != replacement)
        {
            return;
        }

        _replacement = null;
        replacement.Next.Forget();
        TaskChange? change = null;
        if (failure is null)
        {
            try
            {
                change = _tasks.Prepare(replacement.Next.Manifest, replacement.Next.Engine);
            }
            catch (NodeException refused)
            {
                failure = refused.Message;
            }
        }

        MoveTo(AppPhase.Serving);
        if (change is null)
        {
            ReloadLog.RolledBack(_log, Name, Manifest.Version, replacement.Next.Manifest.Version, failure!);
            Retire(replacement.Next, () => { });
            replacement.Complete(replaced: false, failure);
            return;
        }

        Switch(replacement, change);
    }

    /// <summary>In one turn of the loop, so that no other event comes in between.</summary>
    private void Switch(Replacement replacement, TaskChange change)
    {
        AppVersion old = replacement.From, next = replacement.Next;
        next.Engine.IsPaused = old.Engine.IsPaused;
        _tasks.Commit(change);
        Volatile.Write(ref _version, next); // the other half is in Manifest
        Endpoints = _tasks.Endpoints;
        NodeThreads.Complete(_ready);
        ReloadLog.Replaced(
            _log, Name, old.Manifest.Version, next.Manifest.Version, next.AgeMs, old.Queued, old.Running,
            change.Kept.Count, change.Opened.Count + change.Late.Count, change.Outgoing.Count);
        _shards.Switch(old, next, () => replacement.Complete(replaced: true, null));
        Retire(old, () =>
        {
            TaskSet.Finish(change);
            _shards.OnOthers(shard => shard.Finish(old));
            ReloadLog.Drained(_log, Name, old.Manifest.Version);
        });
    }

    private void Drain()
    {
        if (Phase is AppPhase.Stopping or AppPhase.Stopped)
        {
            return;
        }

        if (_replacement is { } replacement)
        {
            Decide(replacement, "the app stops");
        }

        MoveTo(AppPhase.Stopping);
        ReloadLog.Stops(_log, Name, _version.Queued, _version.Running);
        _shards.OnEach(shard => shard.Tasks.StopTaking());
        Retire(_version, () => { });
    }

    /// <summary>Lets a version finish. After a stop, the app has ended when its last version is gone.</summary>
    private void Retire(AppVersion version, Action gone)
    {
        _older.Add(version);
        version.Drain(() =>
        {
            _older.Remove(version);
            gone();
            if (Phase == AppPhase.Stopping && _older.Count == 0)
            {
                _shards.OnEach(shard => shard.Close(), OnClosed);
            }
        });
    }

    /// <summary>All drivers have closed: the app has ended.</summary>
    private void OnClosed()
    {
        MoveTo(AppPhase.Stopped);
        _parts.Ended();
        NodeThreads.Complete(_stopped);
    }

    private void MoveTo(AppPhase next)
    {
        if (!Phase.CanBecome(next))
        {
            throw new InvalidOperationException($"app {Name} cannot go from {Phase} to {next}");
        }

        Phase = next;
    }

    private NodeException Refusal(int code, string why) => new($"app {Name} {why}") { Code = code };

    private void AskInfo(Action<byte[]> reply) => AppView.Gather(
        this, view => reply(JsonToMsgPack.Convert(AppInfo.Text(this, view, forOperators: false), modern: true)));
}
