using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Sharing;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// One version of an app: its manifest, and an engine with slaves on each of its loops. Lives on the app's first loop; each engine lives
/// on its own loop.
/// </summary>
internal sealed class AppVersion
{
    private readonly EventLoop _loop;
    private readonly WarmTimer _timer;
    private readonly AppEngine[] _engines;
    private readonly TaskCompletionSource _gone = new();
    private Action<string?>? _decided; // valid while the version comes up
    private int _wanted;
    private long _beganMs;

    /// <param name="manifest">The version's manifest.</param>
    /// <param name="shards">The app's shards; the first ones get an engine of this version.</param>
    /// <param name="loops">The backends of the version's shards.</param>
    public AppVersion(AppManifest manifest, IReadOnlyList<AppShard> shards, IReadOnlyList<LoopBackend> loops)
    {
        Manifest = manifest;
        _loop = shards[0].Loop;
        _timer = new WarmTimer(this);
        _engines = new AppEngine[loops.Count];
        Minimum = manifest.Engine.PoolMinimum;
        Limit = manifest.Engine.PoolLimit;
        for (int i = 0; i < _engines.Length; i++)
        {
            AppShard shard = shards[i];
            AppEngine engine = _engines[i] = new AppEngine(
                manifest.Name, manifest.Engine.ShareOf(i, loops.Count), shard.Loop, loops[i].Backend, shard.Parts.Log, shard.Parts.Records,
                shard.Counters);
            engine.SlaveReady += () => OnHome(shard, OnSlaveReady);
            engine.Broken += cause => OnHome(shard, () => Decide($"its slaves do not start: {cause}"));
        }

        if (_engines.Length > 1)
        {
            Siblings.Connect([.. _engines.Select((engine, i) => (engine, LoopMail.To(shards[i].Loop)))]);
        }
    }

    public AppManifest Manifest { get; }

    /// <summary>The engine on the app's first loop.</summary>
    public AppEngine Engine => _engines[0];

    /// <summary>
    /// The engines, by the shard. Each belongs to its loop; other threads may read its counts, which are then of slightly different
    /// moments.
    /// </summary>
    public IReadOnlyList<AppEngine> Engines => _engines;

    /// <summary>Slaves that all shards together keep warm.</summary>
    public int Minimum { get; private set; }

    /// <summary>The most slaves of all shards together.</summary>
    public int Limit { get; private set; }

    /// <summary>Completes when the version has drained.</summary>
    public Task Gone => _gone.Task;

    /// <summary>Time since the launch of the version's first slaves.</summary>
    public long AgeMs => _loop.NowMs - _beganMs;

    /// <summary>Slaves that are ready, on all loops.</summary>
    public int Ready => _engines.Sum(engine => engine.Pool.Roster.Ready);

    /// <summary>Jobs that wait, on all loops.</summary>
    public int Queued => _engines.Sum(engine => engine.Queue.Count);

    /// <summary>Jobs that run, on all loops.</summary>
    public int Running => _engines.Sum(engine => engine.RunningJobs);

    /// <summary>The version's engine on a shard; null when the version has fewer shards.</summary>
    public AppEngine? On(AppShard shard) => shard.Index < _engines.Length ? _engines[shard.Index] : null;

    /// <summary>Launches the first slaves: the minimum of the manifest, and at least one.</summary>
    public void Start() => Start(0);

    /// <summary>
    /// Launches so many slaves, and decides once. The result is null when all slaves are ready, or some of them at the end of the
    /// startup-timeout; otherwise the reason why no slave came up.
    /// </summary>
    public void ComeUp(int slaves, Action<string?> decided)
    {
        _decided = decided;
        _wanted = Math.Max(slaves, 1);
        _beganMs = _loop.NowMs;
        _loop.Patience.Arm(_timer, _loop.ListenedMs + Manifest.Engine.StartupTimeoutMs);
        Start(slaves);
    }

    /// <summary>Nobody waits for the version any more.</summary>
    public void Forget()
    {
        _decided = null;
        _loop.Patience.Cancel(_timer);
    }

    /// <summary>Takes no more jobs, finishes the accepted ones, ends the slaves; then calls back.</summary>
    public void Drain(Action gone)
    {
        Forget();
        int left = _engines.Length;
        void OnOne()
        {
            if (--left == 0)
            {
                gone();
                NodeThreads.Complete(_gone);
            }
        }

        Each((engine, i) => engine.Drain(i == 0 ? OnOne : () => _loop.Post(OnOne)));
    }

    /// <summary>Ends at once: jobs that are left get an error.</summary>
    public void StopNow(string reason) => Each((engine, _) => engine.StopNow(reason));

    /// <summary>Refuses new jobs, or takes them again.</summary>
    public void Pause(bool paused) => Each((engine, _) => engine.IsPaused = paused);

    /// <summary>Why the pools cannot have these bounds; null when they can.</summary>
    public string? ProblemOf(int minimum, int limit)
    {
        const int MostSlaves = 1024; // the same bound as for engine.pool-limit in a manifest
        return limit is < 1 or > MostSlaves || minimum < 0 || minimum > limit
            ? $"cannot have {minimum} to {limit} slaves: the limit is 1 to {MostSlaves}, and the minimum 0 to the limit"
            : limit < _engines.Length ? $"lives on {_engines.Length} loops, each of which needs a slave: the limit cannot be {limit}"
            : null;
    }

    /// <summary>Sets the bounds of the pools, which share them out.</summary>
    public void SetBounds(int minimum, int limit)
    {
        Minimum = minimum;
        Limit = limit;
        int count = _engines.Length;
        Each((engine, i) => engine.Pool.SetBounds(
            (int)EngineShares.Share(minimum, i, count), (int)EngineShares.Share(limit, i, count)));
    }

    /// <summary>
    /// The first slaves are those of the app, which its shards share out: a shard without one gets its own when its first job waits.
    /// </summary>
    private void Start(int slaves)
    {
        int all = Math.Max(slaves, Math.Max(Minimum, 1));
        Each((engine, i) => engine.Start((int)EngineShares.Share(all, i, _engines.Length)));
    }

    /// <summary>Does something with each engine on its loop: at once with the first one, and with the others soon, in order.</summary>
    private void Each(Action<AppEngine, int> action)
    {
        action(_engines[0], 0);
        for (int i = 1; i < _engines.Length; i++)
        {
            int at = i;
            ((EventLoop)_engines[at].Loop).Post(() => action(_engines[at], at));
        }
    }

    private void OnHome(AppShard shard, Action action)
    {
        if (shard.Index == 0)
        {
            action();
        }
        else
        {
            _loop.Post(action);
        }
    }

    private void OnSlaveReady()
    {
        if (_decided is not null && (Ready >= _wanted || _timer.IsOver))
        {
            Decide(null);
        }
    }

    private void Decide(string? failure)
    {
        if (_decided is { } decided)
        {
            Forget();
            decided(failure);
        }
    }

    /// <summary>Bounds the wait: first for all wanted slaves, then for one.</summary>
    private sealed class WarmTimer(AppVersion version) : WheelTimer
    {
        /// <summary>
        /// Startup-timeouts until the version is given up. Usually the pool calls itself broken earlier, after three failed starts; this
        /// bound is for the case that it does not.
        /// </summary>
        private const int MaxTimeouts = EngineLimits.FailuresUntilBroken + 2;

        private int _timeouts;

        /// <summary>One ready slave is enough from now on.</summary>
        public bool IsOver => _timeouts > 0;

        public override void OnDue(long nowMs)
        {
            if (version.Ready > 0)
            {
                version.Decide(null);
            }
            else if (++_timeouts == MaxTimeouts)
            {
                version.Decide($"no slave was ready within {MaxTimeouts} times the startup-timeout");
            }
            else
            {
                version._loop.Patience.Arm(this, nowMs + version.Manifest.Engine.StartupTimeoutMs);
            }
        }
    }
}
