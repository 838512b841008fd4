using System.Buffers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>
/// A connection that is one job. The job starts with the connection, so that the app may speak first. The peer's bytes are the chunks of
/// the request, and the app's bytes go out at once. A job that fails resets the connection: an answer that merely ended would look whole.
/// </summary>
internal sealed class StreamConnection : RawConnection
{
    /// <summary>
    /// Request bytes that are kept while the job waits for a slave, as many as the engine keeps for a busy slave. After that the peer
    /// waits.
    /// </summary>
    private const int MaxWaitingBytes = EngineLimits.HighBacklogBytes;

    /// <summary>How often the connection checks a job that waits in the queue: the engine does not report when a job leaves it.</summary>
    private const int QueueLookMs = 10;

    private readonly QueueTimer _queueTimer;
    private Job? _job;             // set until the job is answered
    private IJobRunner? _held;     // has the job; its answer is held back until the peer reads
    private ulong _heldChannel;    // the job's channel there; valid with _held
    private bool _pressed;         // the slave takes the request more slowly than it comes
    private bool _requestEnded;    // the peer has closed its side, and the app knows

    public StreamConnection(RawServer server, int descriptor)
        : base(server, descriptor) => _queueTimer = new QueueTimer(this);

    protected override bool OwesAnswer => _job is not null;

    protected override bool WaitsForApp => _job is not null && _requestEnded;

    protected override bool MayTake => !_pressed && !WaitsInQueue && Output.PendingBytes <= HighOutputBytes;

    private bool WaitsInQueue => _job is { State: JobState.Queued, Request.SizeBytes: > MaxWaitingBytes };

    public override void OnChunk(Job job, in Payload data)
    {
        Write(in data);
        if (!IsBehind)
        {
            return;
        }

        if (_held is null && job.Runner is { } slave && slave.HoldBack(job.SlaveChannel))
        {
            (_held, _heldChannel) = (slave, job.SlaveChannel);
        }

        if (Output.PendingBytes > MaxOutputBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the peer reads its answer too slowly");
        }
    }

    public override void OnDone(Job job)
    {
        _job = null;
        LetGo();
        Finish();
        ScheduleSend();
    }

    public override void OnFailed(Job job, in JobError error)
    {
        _job = null;
        Abort("the job failed");
    }

    public override void OnRequestPressure(Job job, bool high)
    {
        _pressed = high;
        UpdateReading();
    }

    protected override void OnBegin()
    {
        Server.Counters.Frames++;
        if (!Server.Admits(Gate, out DoorRefusal denied))
        {
            Abort(denied.Text);
            return;
        }

        _job = Engine.Submit(this, 1, Server.Monitor, Server.Method, default, default, out JobRefusal refusal);
        if (_job is null)
        {
            Server.OnRefused(this, refusal.Reason);
            Abort(refusal.Reason);
        }
    }

    protected override long Take(in ReadOnlySequence<byte> buffer)
    {
        if (!MayTake)
        {
            PauseReading();
            return 0;
        }

        if (_job is { } job)
        {
            job.Engine.AddChunk(job, new Payload(in buffer));
            if (WaitsInQueue)
            {
                Loop.Timers.Arm(_queueTimer, Loop.NowMs + QueueLookMs);
            }

            UpdateReading();
        }

        return buffer.Length;
    }

    protected override void OnRequestsEnded(long rest)
    {
        if (_job is { } job && !_requestEnded)
        {
            _requestEnded = true;
            job.Engine.EndRequest(job);
        }
    }

    protected override void Abandon()
    {
        Loop.Timers.Cancel(_queueTimer);
        if (_job is { } job)
        {
            _job = null;
            job.Engine.Cancel(job, "the peer went away"u8, clientGone: true);
        }

        LetGo();
    }

    protected override void OnRoom() => LetGo();

    private void LetGo()
    {
        IJobRunner? held = _held;
        _held = null;
        held?.LetGo(_heldChannel);
    }

    private sealed class QueueTimer(StreamConnection connection) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            if (connection.WaitsInQueue)
            {
                connection.Loop.Timers.Arm(this, nowMs + QueueLookMs);
            }
            else
            {
                connection.UpdateReading();
            }
        }
    }
}
