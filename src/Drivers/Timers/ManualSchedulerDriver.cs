using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// The manual-scheduler driver: the app says when it wants to be asked again. The last chunk of an answer is the time. Chunks before it are
/// published, and so is a last chunk that is no time.
/// </summary>
internal sealed class ManualSchedulerDriver(DriverContext context) : TimerDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "manual-scheduler", [ManifestKeys.RunOn("one")], static context => new ManualSchedulerDriver(context));

    /// <summary>Pause after a useless answer; the pause doubles up to <see cref="MaxPauseMs"/>.</summary>
    private const int FirstPauseMs = 1000;

    private const int MaxPauseMs = 60_000;

    /// <summary>Pause between two runs of an app that always names a past time: it may do so, but the loop serves others too.</summary>
    private const int MinPauseMs = 10;

    private readonly byte[] _last = new byte[NextTime.MaxBytes]; // the newest chunk, while it may be the last one
    private int _lastLength;        // -1 when there is no such chunk, or it was too long for a time
    private DateTimeOffset? _next;  // time of the app's next run; null while it runs, will be asked again, or wants no run
    private int _failures;          // useless answers in a row
    private bool _never;            // the app wants no more runs
    private bool _isClaiming;       // with run-on: one in a cluster: the right to the next run is being claimed
    private long _claimedMs;        // the last run that this node claimed, ms since 1970; 0 before the first

    protected override long? FirstDueMs => Loop.NowMs;

    protected override DateTimeOffset? NextTick => _next?.ToUniversalTime() ?? (_failures > 0 ? base.NextTick : null);

    protected override void Begin(long nowMs)
    {
    }

    protected override void OnDue(long nowMs)
    {
        if (Context.Singleton is { } singleton)
        {
            LookForClaim(singleton);
            return;
        }

        if (_next is { } next && next > Context.Clock.GetUtcNow())
        {
            CallAt(LoopTimeOf(next));
            return;
        }

        Ask(0);
    }

    /// <summary>
    /// Claims the next run. The time that the app named holds only while no other node has asked the app since: another answer, which this
    /// node does not know, is then the newer one, and the app is asked at once.
    /// </summary>
    private void LookForClaim(ISingleton singleton)
    {
        if (_isClaiming || Running > 0 || _never)
        {
            return;
        }

        long nowMs = Context.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        long claimedMs = singleton.ClaimedMs ?? 0;
        long? namedMs = claimedMs == _claimedMs ? _next?.ToUnixTimeMilliseconds() : null;
        if (!singleton.MayFire || Context.Engine.IsPaused || namedMs > nowMs)
        {
            CallAt(Loop.NowMs + ClaimedTicks.LookMs);
            return;
        }

        _isClaiming = true;
        long timeMs = Math.Max(namedMs ?? nowMs, claimedMs + 1);
        singleton.Claim(timeMs, term =>
        {
            _isClaiming = false;
            if (term == 0)
            {
                CallAt(Loop.NowMs + ClaimedTicks.LookMs);
                return;
            }

            _claimedMs = timeMs;
            GoToSuccessor();
            Ask(term, timeMs);
        });
    }

    private void Ask(long term, long timeMs = 0)
    {
        _next = null;
        _lastLength = -1;
        TickCount++;
        if (!MakeJob(term, timeMs))
        {
            AskAgain("the engine did not take the job");
        }
    }

    protected override bool Takes(in Payload chunk)
    {
        PublishLast();
        if (chunk.Length > NextTime.MaxBytes)
        {
            return false;
        }

        chunk.CopyTo(_last);
        _lastLength = chunk.Length;
        return true;
    }

    protected override void OnJobEnded(bool failed)
    {
        NextTime time = failed || _lastLength < 0 ? default : NextTime.Read(_last.AsSpan(0, _lastLength));
        switch (time.Kind)
        {
            case NextTimeKind.At:
                _failures = 0;
                _next = time.At;
                CallAt(Math.Max(LoopTimeOf(time.At), Loop.NowMs + MinPauseMs));
                break;
            case NextTimeKind.Never:
                _failures = 0;
                _never = true;
                TimerLog.Never(Context.Log, Context.Engine.Name, Context.Task.Name);
                break;
            default:
                PublishLast();
                AskAgain(failed ? "the job failed" : "the last chunk of its answer is no time");
                break;
        }
    }

    protected override void AddFacts(Dictionary<string, object> facts)
    {
        facts["state"] = _never ? "ended by the app" : _failures > 0 ? "asked again after a useless answer"
            : Running > 0 ? "running" : "waiting";
        facts["useless-answers"] = _failures;
    }

    private void PublishLast()
    {
        if (_lastLength >= 0)
        {
            Publish(_last.AsSpan(0, _lastLength));
            _lastLength = -1;
        }
    }

    private void AskAgain(string why)
    {
        if (!IsTaking)
        {
            return;
        }

        long pauseMs = Math.Min((long)FirstPauseMs << Math.Min(_failures, 16), MaxPauseMs);
        _failures++;
        TimerLog.Useless(Context.Log, Context.Engine.Name, Context.Task.Name, why, pauseMs);
        CallAt(Loop.NowMs + pauseMs);
    }
}
