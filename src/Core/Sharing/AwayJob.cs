using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// A job on its way to a sibling and back. At home it is the job's runner; at the sibling it is the caller of the guest, which has the
/// job's number and runs like any other job. The request is copied when the job leaves, into memory of no loop, and again into the log of
/// the guest; a chunk of the answer is copied once on its way back, into memory that goes to and fro.
/// </summary>
/// <remarks>
/// Two loops use the object. Each field says who does; a field changes hands with the message that this object is.
/// </remarks>
internal sealed class AwayJob : ShardMail, IRunnerElsewhere, IJobCaller
{
    /// <summary>Bytes of an answer that the home has not taken, from which on the sibling holds the slave: a usual ring.</summary>
    private const int HighUnreadBytes = 1 << 20;

    /// <summary>
    /// Messages for parts of the answer that are kept for the next ones: one is filled while another is on its way, and two more for a home
    /// whose turn takes longer.
    /// </summary>
    private const int MostParts = 4;

    private readonly Siblings _home;
    private readonly FlushTimer _flush;            // used by the sibling
    private readonly ChunkLog _request = new();    // the headers come first, as a chunk; written at home, read by the sibling
    private readonly List<PartMail> _parts = new(MostParts); // used by the sibling, but those that are out
    private ChunkLog _answer = new();              // written by the sibling, read at home with the end
    private Siblings _sibling;                     // set at home
    private Job? _job;                             // at home: null once the job was answered otherwise
    private Job? _guest;                           // at the sibling; valid in Guest
    private JobCall _call;                         // set at home, read by the sibling
    private bool _mayHold;                         // set by the sibling before its first chunk, read at home after that
    private bool _wasHeld;                         // at home: callers may still know this object after the job's end
    private bool _callerHolds;                     // at the sibling
    private bool _homeIsSlow;                      // at the sibling
    private long _sentBytes;                       // at the sibling
    private long _takenBytes;                      // written at home, read by the sibling
    private bool _failed;                          // the outcome; valid in Ended
    private int _category, _code, _retryAfterS;    // valid in Ended, when the job failed
    private ErrorCause _cause;                     // the same
    private byte[] _reason = [];

    public AwayJob(Siblings home)
    {
        _home = _sibling = home;
        _flush = new FlushTimer(this);
    }

    public AwayStage Stage { get; private set; }

    /// <summary>Has the job. Asked at home.</summary>
    public Siblings Sibling => _sibling;

    /// <summary>The job at home; null once it was answered otherwise.</summary>
    public Job? Job => _job;

    /// <summary>The job at the sibling. Valid in Guest.</summary>
    public Job? Guest => _guest;

    /// <summary>No caller and no message knows this object: it can carry another job. Asked at home.</summary>
    public bool IsFree => Stage == AwayStage.Home && !_wasHeld;

    /// <summary>Sends a job to a sibling; at home.</summary>
    public void Send(Job job, Siblings sibling)
    {
        MoveTo(AwayStage.Going);
        (_job, _sibling) = (job, sibling);
        job.Runner = this;
        _call = new JobCall(job.Id, job.Task.Name, job.Task.JobTimeoutMs, job.Event, job.Policy with { DeadlineMs = 0 }); // kept at home
        _sentBytes = _takenBytes = 0;
        _request.Add(new Payload(job.Request.Headers));
        foreach (Payload chunk in job.Request)
        {
            _request.Add(in chunk);
        }

        sibling.Post(this);
    }

    /// <inheritdoc/>
    public override void Run()
    {
        if (Stage == AwayStage.Going)
        {
            _sibling.Receive(this);
        }
        else
        {
            ComeHome();
        }
    }

    /// <summary>The sibling has room, and runs the job on a slave.</summary>
    public void Begin(SharedJobs jobs, TaskMonitor task, Slave slave)
    {
        MoveTo(AwayStage.Guest);
        _mayHold = slave.Link.HasFlow || slave.Concurrency == 1;
        task.JobTimeoutMs = _call.JobTimeoutMs;
        ReadOnlySpan<byte> request = _request.Written;
        ReadOnlySpan<byte> headers = ChunkLog.Take(ref request);
        _guest = jobs.MakeGuest(this, task, in _call, headers);
        while (!request.IsEmpty)
        {
            _guest.Request.Add(new Payload(ChunkLog.Take(ref request)));
        }

        jobs.RunGuest(_guest, slave);
    }

    /// <summary>The task of the job, for the sibling.</summary>
    public string TaskName => _call.Task;

    /// <summary>The sibling has no room: the job goes back as it came.</summary>
    public void Refuse()
    {
        MoveTo(AwayStage.Refused);
        _home.Post(this);
    }

    /// <inheritdoc/>
    public void OnChunk(Job job, in Payload data)
    {
        _answer.Add(in data);
        if (!_flush.IsArmed)
        {
            _sibling.Loop.Timers.Arm(_flush, _sibling.Loop.NowMs); // at the end of the turn, unless the answer has ended by then
        }

        if (Unread > HighUnreadBytes)
        {
            Hold(_callerHolds, homeIsSlow: true);
            if (Unread > EngineLimits.MaxBacklogBytes)
            {
                job.Engine.Fail(job, ErrorCodes.ResourceError, "the app's other loop takes the answer too slowly");
            }
        }
    }

    /// <inheritdoc/>
    public void OnDone(Job job) => End(failed: false, default);

    /// <inheritdoc/>
    public void OnFailed(Job job, in JobError error) => End(failed: true, in error);

    /// <inheritdoc/>
    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole when the job left: nobody sends more of it.
    }

    /// <summary>At home: the caller is slower than the slave.</summary>
    public bool HoldBack(ulong channel, bool alone = false)
    {
        if (_mayHold && _job is not null)
        {
            _wasHeld = true;
            _sibling.Post(new HoldMail(this, holds: true));
            return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public void LetGo(ulong channel)
    {
        if (_job is not null)
        {
            _sibling.Post(new HoldMail(this, holds: false));
        }
    }

    /// <inheritdoc/>
    public void Cancel(Job job, in JobError error)
    {
        _home.OnCancelled(this);
        job.Runner = null;
        _job = null;
        _sibling.Post(new CancelMail(this, in error));
    }

    /// <summary>At the sibling: nobody wants the answer. When the job has ended by now, its end is on its way.</summary>
    public void CancelGuest(in JobError error)
    {
        if (Stage == AwayStage.Guest)
        {
            Job guest = _guest!;
            Leave();
            _sibling.CancelGuest(this, guest, in error);
        }
    }

    /// <summary>At the sibling: the caller holds the answer, or takes it again.</summary>
    public void HoldGuest(bool holds)
    {
        if (Stage == AwayStage.Guest)
        {
            Hold(holds, _homeIsSlow);
        }
    }

    /// <summary>At home: a part of the answer.</summary>
    public void Deliver(ReadOnlySpan<byte> chunks)
    {
        Volatile.Write(ref _takenBytes, _takenBytes + chunks.Length); // the other half is in Unread
        while (!chunks.IsEmpty && _job is { } job)
        {
            Payload chunk = new(ChunkLog.Take(ref chunks));
            job.Caller?.OnChunk(job, in chunk); // the caller may end the job, when it has too much already
        }
    }

    private long Unread => _sentBytes + _answer.SizeBytes - Volatile.Read(ref _takenBytes); // the other half is in Deliver

    private void End(bool failed, in JobError error)
    {
        _failed = failed;
        (_category, _code, _retryAfterS, _cause) = (error.Category, error.Code, error.RetryAfterS, error.Cause);
        _reason = failed ? error.Reason.ToArray() : [];
        Leave();
        _sibling.Forget(this);
        _home.Post(this);
    }

    /// <summary>The job is no guest any more.</summary>
    private void Leave()
    {
        MoveTo(AwayStage.Ended);
        _guest = null;
        _callerHolds = _homeIsSlow = false;
        _sibling.Loop.Timers.Cancel(_flush);
    }

    private void ComeHome()
    {
        bool refused = Stage == AwayStage.Refused;
        MoveTo(AwayStage.Home);
        if (!refused)
        {
            Deliver(_answer.Written);
        }

        Job? job = _job;
        _job = null;
        _request.Clear();
        _answer.Clear();
        if (job is not null)
        {
            _home.OnHome(this, job, refused, _failed, new JobError(_category, _code, _reason, _retryAfterS, _cause));
        }
    }

    private void Hold(bool callerHolds, bool homeIsSlow)
    {
        bool held = _callerHolds || _homeIsSlow;
        (_callerHolds, _homeIsSlow) = (callerHolds, homeIsSlow);
        if (_guest is not { Runner: { } slave } guest || held == (callerHolds || homeIsSlow))
        {
            return;
        }

        if (held)
        {
            slave.LetGo(guest.SlaveChannel);
        }
        else
        {
            _ = slave.HoldBack(guest.SlaveChannel, alone: true);
        }
    }

    /// <summary>At the sibling, at the end of a turn: what there is of the answer goes home.</summary>
    private void Flush(long nowMs)
    {
        if (_answer.SizeBytes > 0)
        {
            PartMail part = FreePart();
            _sentBytes += _answer.SizeBytes;
            _answer = part.Exchange(_answer);
            _home.Post(part);
        }

        if (_homeIsSlow && Unread < HighUnreadBytes / 2)
        {
            Hold(_callerHolds, homeIsSlow: false);
        }
        else if (_homeIsSlow)
        {
            _sibling.Loop.Timers.Arm(_flush, nowMs + FlushTimer.LookMs);
        }
    }

    private PartMail FreePart()
    {
        foreach (PartMail kept in _parts)
        {
            if (!kept.IsOut)
            {
                return kept;
            }
        }

        PartMail part = new(this);
        if (_parts.Count < MostParts)
        {
            _parts.Add(part);
        }

        return part;
    }

    /// <summary>The only method that changes <see cref="Stage"/>.</summary>
    private void MoveTo(AwayStage next)
    {
        bool legal = (Stage, next) switch
        {
            (AwayStage.Home, AwayStage.Going) => true,
            (AwayStage.Going, AwayStage.Guest or AwayStage.Refused) => true,
            (AwayStage.Guest, AwayStage.Ended) => true,
            (AwayStage.Refused or AwayStage.Ended, AwayStage.Home) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"a job cannot go from {Stage} to {next}");
        }

        Stage = next;
    }

    private sealed class FlushTimer(AwayJob away) : WheelTimer
    {
        /// <summary>Time between two looks at a home that is slow.</summary>
        public const int LookMs = 5;

        public override void OnDue(long nowMs) => away.Flush(nowMs);
    }
}
