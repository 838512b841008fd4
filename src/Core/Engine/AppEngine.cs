using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// One app's engine: takes jobs from drivers, queues them, gives them to slaves, and makes sure that each job gets exactly one answer. The
/// engine lives on one loop, and all members are for the loop's thread. <see cref="Endings"/> ends jobs, <see cref="Requests"/> has their
/// requests, and <see cref="JobBounds"/> their times.
/// </summary>
internal sealed class AppEngine : IJobEngine, IPoolOwner
{
    private readonly JobStore _store;
    private readonly JobBounds _bounds;
    private readonly NextJobs _next;
    private readonly Arrivals _arrivals;
    private Action? _onStopped;

    /// <param name="name">The app's name.</param>
    /// <param name="settings">The engine's settings from the manifest.</param>
    /// <param name="loop">The loop that the engine lives on.</param>
    /// <param name="backend">Makes the engine's slaves.</param>
    /// <param name="log">The app's log.</param>
    /// <param name="records">Records that outlive the engine.</param>
    /// <param name="counters">
    /// Counters of the version that this engine replaces on the same loop. The counters and the ids of jobs go on from there.
    /// </param>
    public AppEngine(
        string name, EngineSettings settings, IEngineLoop loop, ISlaveBackend backend, ILogger log, EngineRecords? records = null,
        EngineCounters? counters = null)
    {
        Scope = new EngineScope
        {
            Name = name,
            Settings = settings,
            Loop = loop,
            Log = log,
            Counters = counters ?? new EngineCounters(),
            Records = records ?? EngineRecords.None,
            Queue = new JobQueue(settings.QueueOrder, settings.QueueTargetMs, EngineLimits.QueueIntervalMs),
        };
        Counters.LastJobId = Math.Max(Counters.LastJobId, Records.FirstJobId);
        _store = new JobStore(this, loop);
        Pool = new SlavePool(Scope, backend, this);
        Admission = new Admission(Scope, Pool);
        Requests = new RequestFlow(Scope, Pool, Admission);
        _bounds = new JobBounds(Scope, Pool, new RunLimit(Scope));
        Endings = new JobEndings(Scope, _store, Pool, _bounds, this);
        _next = new NextJobs(Scope, _bounds, Endings);
        Forwarded = new ForwardedJobs(Scope, Pool, Admission, Endings);
        _arrivals = new Arrivals(Scope, Pool, Admission, Forwarded);
        Shared = new SharedJobs(Scope, _store, Pool, _bounds, Endings, _next);
    }

    /// <summary>The parts that jobs, slaves and the pool use too.</summary>
    public EngineScope Scope { get; }

    public string Name => Scope.Name;

    public EngineSettings Settings => Scope.Settings;

    public IEngineLoop Loop => Scope.Loop;

    public ILogger Log => Scope.Log;

    public EngineRecords Records => Scope.Records;

    public SlavePool Pool { get; }

    public Admission Admission { get; }

    /// <summary>Ends jobs.</summary>
    public JobEndings Endings { get; }

    public RequestFlow Requests { get; }

    /// <summary>Jobs that go to the app's other loops, or come from there.</summary>
    public SharedJobs Shared { get; }

    /// <summary>Jobs that other nodes run.</summary>
    public ForwardedJobs Forwarded { get; }

    /// <summary>Jobs that run apart from others.</summary>
    public SuspectRuns Suspects => Pool.Suspects;

    public JobQueue Queue => Scope.Queue;

    public EngineCounters Counters => Scope.Counters;

    public EngineState State => Scope.State;

    /// <inheritdoc cref="EngineScope.IsPaused"/>
    public bool IsPaused { get => Scope.IsPaused; set => Scope.IsPaused = value; }

    /// <inheritdoc cref="EngineScope.IsTaking"/>
    public bool IsTaking => Scope.IsTaking;

    /// <summary>Jobs on slaves without a whole answer yet.</summary>
    public int RunningJobs => Endings.Running;

    /// <summary>A slave became ready; raised each time.</summary>
    public event Action? SlaveReady;

    /// <summary>Starts failed too often; raised once for each streak, with the last cause.</summary>
    public event Action<string>? Broken;

    /// <summary>Launches the first slaves: the wanted number, within the pool's bounds. May be 0 on a further loop of the app.</summary>
    public void Start(int slaves = 1) => Pool.Growth.Start(slaves);

    /// <summary>
    /// Takes a job, and gives it to a slave at once when a slave has room. The request's chunks follow by <see cref="AddChunk"/> and
    /// <see cref="EndRequest"/>. Null when the job is refused.
    /// </summary>
    public Job? Submit(
        IJobCaller caller, ulong channel, TaskMonitor task, byte[] name, in JobPolicy policy, ReadOnlySpan<byte> headers,
        out JobRefusal refusal)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, OpeningBounds.MaxNameBytes); // here, where no state has changed

        // A refused job has a number too: its caller can ask for it. Two versions of an app share the ledger, and so the numbers.
        ulong id = Counters.LastJobId = Records.Numbers.After(Math.Max(Counters.LastJobId, Records.Ledger.LastId));
        refusal = _arrivals.Find(id, task, in policy, out Slave? slave, out IPeer? peer);
        if (refusal.Code != 0)
        {
            Admission.Record(in refusal, task, name);
            return null;
        }

        Job job = _store.Take();
        Counters.JobsAccepted++;
        job.Begin(id, caller, channel, task, name, in policy, Loop.NowNs);
        task.Accepted++;
        Records.Ledger.Arrived(job.Id, job.ArrivedNs, task.Utf8Name, name);
        if (!headers.IsEmpty)
        {
            job.Request.SetHeaders(headers);
        }

        if (slave is not null)
        {
            Endings.CountRun();
            slave.Run(job);
        }
        else if (peer is not null)
        {
            Forwarded.Send(job, peer);
        }
        else
        {
            Wait(job);
        }

        _bounds.Arm(job);
        return job;
    }

    /// <summary>No slave has room for the job.</summary>
    private void Wait(Job job)
    {
        Counters.JobsWaited++;
        job.MoveTo(JobState.Queued);
        Records.Ledger.Queued(job.Id, job.ArrivedNs);
        Queue.Add(job);
        if (Queue.Count - Queue.Suspects.Count == 1)
        {
            Admission.OnFirstWaiting();
        }

        if (Pool.Roster.Idle > 0)
        {
            Pool.Cores.OnWaits();
        }

        Pool.Growth.Grow();
        Scope.Siblings?.OnWaits();
    }

    /// <summary>Takes more of a job's request.</summary>
    public void AddChunk(Job job, in Payload chunk) => Requests.Add(job, in chunk);

    /// <summary>The request is whole.</summary>
    public void EndRequest(Job job) => Requests.End(job);

    /// <inheritdoc/>
    public void Cancel(Job job, ReadOnlySpan<byte> reason, bool clientGone = false)
    {
        Counters.ClientsGone += clientGone && !job.IsAnswered ? 1u : 0;
        Cancel(job, new JobError(ErrorCodes.Category, ErrorCodes.BadRequest, reason));
    }

    /// <inheritdoc/>
    public void Cancel(Job job, in JobError error)
    {
        if (!job.IsAnswered)
        {
            job.Caller = null;
            Counters.JobsCancelled++;
            Endings.Fail(job, in error);
        }
    }

    /// <summary>Answers a job with one of the node's errors.</summary>
    public void Fail(Job job, int code, string reason, int retryAfterS = 0, ErrorCause cause = ErrorCause.Other)
    {
        if (!job.IsAnswered)
        {
            Endings.Fail(job, new JobError(ErrorCodes.Category, code, Encoding.UTF8.GetBytes(reason), retryAfterS, cause));
        }
    }

    /// <inheritdoc/>
    public Job? TakeNext() => _next.TakeNext();

    /// <inheritdoc/>
    public Job? TakeSuspect(Job suspect) => _next.TakeSuspect(suspect);

    /// <inheritdoc/>
    public void ExpireLate() => _bounds.ExpireLate();

    /// <inheritdoc/>
    public bool IsNextWhole => _next.IsWhole;

    /// <inheritdoc/>
    public bool TryTakeAhead(out Job? job) => _next.TryTakeAhead(out job);

    /// <inheritdoc/>
    public void OnBegun(Job job)
    {
        Queue.OnBegun(job);
        _next.CountRun(job);
    }

    /// <inheritdoc/>
    public void OnTakenBack(Job job) => Endings.OnTakenBack(job);

    /// <inheritdoc/>
    public void OnRequestHold(Job job, bool holds) => Requests.OnHold(job, holds);

    /// <inheritdoc/>
    public void OnRequestRead(Job job) => Requests.OnRead(job);

    /// <inheritdoc/>
    public void OnChunk(Job job, in Payload data) => Endings.OnChunk(job, in data);

    /// <inheritdoc/>
    public void OnEnd(Job job, bool failed, in JobError error) => Endings.OnEnd(job, failed, in error);

    /// <inheritdoc/>
    public void OnPeerRefused(Job job, in JobError error) => Forwarded.OnRefused(job, in error);

    /// <inheritdoc/>
    public void OnPeerLost(Job job, string peer, PeerEnd end) => Forwarded.OnLost(job, peer, end);

    /// <inheritdoc/>
    public void OnSlaveLost(Job job, in SlaveLoss loss) => Endings.OnSlaveLost(job, in loss);

    /// <inheritdoc/>
    public void OnJobTimer(Job job, long nowMs) => _bounds.OnDue(job, nowMs);

    /// <summary>Refuses new jobs, finishes the accepted ones, ends the slaves; then calls back once.</summary>
    public void Drain(Action onStopped)
    {
        _onStopped = onStopped;
        if (State == EngineState.Running)
        {
            Scope.MoveTo(EngineState.Draining);
        }

        CheckDrained();
    }

    /// <summary>Ends at once: every job that is left gets an error, and every slave is killed.</summary>
    public void StopNow(string reason)
    {
        Scope.MoveTo(EngineState.Stopped);
        foreach (Slave slave in Pool.Roster.Slaves)
        {
            slave.Ahead.TakeBack();
        }

        FailWaiting(ErrorCodes.ResourceError, reason, ErrorCause.NotRunning);
        Scope.Forwarder?.FailAll(this, ErrorCodes.ResourceError, reason, ErrorCause.NotRunning);
        Scope.Siblings?.FailAll(ErrorCodes.ResourceError, reason, ErrorCause.NotRunning);
        foreach (Slave slave in Pool.Roster.Slaves)
        {
            slave.Channels.FailAll(ErrorCodes.ResourceError, reason, ErrorCause.NotRunning);
        }

        Pool.KillAll(reason);
        CheckDrained();
    }

    /// <inheritdoc/>
    public void OnSlaveReady() => SlaveReady?.Invoke();

    /// <inheritdoc/>
    public void OnBroken(string cause)
    {
        string reason = StartFailure.ForCallers(cause);
        FailWaiting(ErrorCodes.ServerError, reason, ErrorCause.Other);
        Broken?.Invoke(cause);
    }

    /// <summary>Answers all jobs that wait in the node's hand.</summary>
    private void FailWaiting(int code, string reason, ErrorCause cause)
    {
        while (Queue.Unplaced > 0)
        {
            Fail(Queue.Oldest!, code, reason, cause: cause);
        }
    }

    /// <summary>Called after each change that may have ended the last job or slave of a draining engine.</summary>
    public void CheckDrained()
    {
        if (State == EngineState.Running || Queue.Count + RunningJobs > 0)
        {
            return;
        }

        Pool.TerminateAll("the app stops");
        if (Pool.Roster.Total == 0)
        {
            Scope.MoveTo(EngineState.Stopped);
            Action? stopped = _onStopped;
            _onStopped = null;
            stopped?.Invoke();
        }
    }
}
