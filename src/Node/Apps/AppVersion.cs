using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>One version of an app: its manifest, its engine and slaves. Lives on the app's loop.</summary>
internal sealed class AppVersion
{
    private readonly EventLoop _loop;
    private readonly WarmTimer _timer;
    private readonly TaskCompletionSource _gone = new();
    private Action<string?>? _decided; // valid while the version comes up
    private int _wanted;
    private long _beganMs;

    /// <param name="manifest">The version's manifest.</param>
    /// <param name="parts">The parts that the node gives to the app.</param>
    /// <param name="backend">Makes the version's slaves.</param>
    /// <param name="counters">The counters of the version before, which this version continues.</param>
    public AppVersion(AppManifest manifest, AppParts parts, ISlaveBackend backend, EngineCounters? counters)
    {
        Manifest = manifest;
        _loop = parts.Loop;
        _timer = new WarmTimer(this);
        Engine = new AppEngine(manifest.Name, manifest.Engine, _loop, backend, parts.Log, parts.Records, counters);
        Engine.SlaveReady += OnSlaveReady;
        Engine.Broken += cause => Decide($"its slaves do not start: {cause}");
    }

    public AppManifest Manifest { get; }

    public AppEngine Engine { get; }

    /// <summary>Completes when the version has drained.</summary>
    public Task Gone => _gone.Task;

    /// <summary>Time since the launch of the version's first slaves.</summary>
    public long AgeMs => _loop.NowMs - _beganMs;

    private int Ready => Engine.Pool.Roster.Ready;

    /// <summary>
    /// Launches so many slaves, and decides once. The result is null when all slaves are ready, or some of them at the end of the
    /// startup-timeout; otherwise the reason why no slave came up.
    /// </summary>
    public void ComeUp(int slaves, Action<string?> decided)
    {
        _decided = decided;
        _wanted = slaves;
        _beganMs = _loop.NowMs;
        _loop.Patience.Arm(_timer, _loop.ListenedMs + Manifest.Engine.StartupTimeoutMs);
        Engine.Start(slaves);
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
        Engine.Drain(() =>
        {
            gone();
            NodeThreads.Complete(_gone);
        });
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
