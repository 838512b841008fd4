using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>Tells the reason for which a held answer waits.</summary>
internal enum HoldState
{
    /// <summary>The object serves no call.</summary>
    Free,

    /// <summary>The client has asked to hold the answer.</summary>
    Held,

    /// <summary>The client has asked to go on; messages that were kept leave as the socket takes them.</summary>
    Leaving,
}

/// <summary>
/// The answer of one call that its client has asked to hold: the messages that came nevertheless, in order. The timer ends the call of a
/// client that never goes on. Pooled by <see cref="ClientFlow"/>.
/// </summary>
internal sealed class HeldAnswer(ClientFlow flow) : WheelTimer
{
    /// <summary>How long a client may hold an answer without progress: as long as a client may read nothing of its connection.</summary>
    public const int StallSeconds = 60;

    /// <summary>
    /// The least that an answer with kept messages counts for: the first block of the messages. Otherwise many small answers would take
    /// more memory than they count for.
    /// </summary>
    private const int LeastCountedBytes = 4096;

    /// <summary>
    /// Kept bytes from which on a slave waits that makes other jobs wait too: half of a message of the largest size, so that most answers
    /// end before, and two answers of that kind stay far from the bound of a connection.
    /// </summary>
    private const int MostBytesForOthers = 32 << 20;

    private readonly KeptMessages _messages = new(flow.Loop.Buffers); // empty in Free
    private IJobRunner? _slowed;  // the slave that waits for this answer to leave; null in Free
    private ulong _slaveChannel;  // the job's channel on that slave; valid with _slowed
    private bool _slowsWhole;     // the slave waits as a whole, not only with this job; valid with _slowed
    private long _left;           // bytes that have left; valid in Held and Leaving
    private long _leftAtWatch;    // _left when the watch began; valid while the timer is armed

    /// <summary>The call's channel. Valid in Held and Leaving.</summary>
    public ulong Channel { get; private set; }

    /// <summary>The call's job; null in Free and when the job has ended, and its last message is kept.</summary>
    public Job? Job { get; private set; }

    public HoldState State { get; private set; } = HoldState.Free;

    /// <summary>The answer stands in the queue of those that leave. Valid in every state; only the queue's owner uses it.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Nothing is kept.</summary>
    public bool IsEmpty => _messages.IsEmpty;

    /// <summary>Bytes for which this answer counts.</summary>
    public long CountedBytes => _messages.IsEmpty ? 0 : Math.Max(_messages.SizeBytes, LeastCountedBytes);

    /// <summary>The object serves a call, and its client wants to hold the answer.</summary>
    public void Begin(ulong channel, Job job)
    {
        Channel = channel;
        Job = job;
        MoveTo(HoldState.Held);
    }

    /// <summary>The client has asked to hold, or to go on.</summary>
    public void Set(bool hold) => MoveTo(hold ? HoldState.Held : HoldState.Leaving);

    /// <summary>Keeps a chunk of the answer.</summary>
    public void Keep(in Payload chunk, bool bin)
    {
        WatchFirst();
        MessageWriter.WriteChunk(_messages, Channel, in chunk, bin);
    }

    /// <summary>Keeps the end of the answer: its job has ended.</summary>
    public void KeepClose()
    {
        MessageWriter.WriteClose(_messages, Channel);
        OnJobEnded();
    }

    /// <summary>Keeps the error that ends the answer: its job has ended.</summary>
    public void KeepError(in JobError error, in ErrorHeaders headers)
    {
        MessageWriter.WriteError(_messages, Channel, error.Category, error.Code, error.Reason, in headers);
        OnJobEnded();
    }

    /// <summary>Makes the slave wait when more than so many bytes are kept, if the slave can wait.</summary>
    /// <param name="aboveBytes">The bound for a slave that makes no other job wait.</param>
    public void SlowDown(int aboveBytes)
    {
        if (Job is not { Runner: { } slave } job || _messages.SizeBytes <= aboveBytes || IsSlowed(job))
        {
            return;
        }

        if (slave.HoldBack(job.SlaveChannel, alone: _messages.SizeBytes <= MostBytesForOthers))
        {
            (_slowed, _slaveChannel, _slowsWhole) = (slave, job.SlaveChannel, !job.AnswerHeld);
        }
    }

    /// <summary>Moves the oldest message to the client's socket.</summary>
    public void MoveOne(MessageSink output)
    {
        long before = _messages.SizeBytes;
        _messages.MoveOne(output);
        _left += before - _messages.SizeBytes;
        if (_messages.SizeBytes < FlowControl.LowBytes)
        {
            LetGo();
        }
    }

    /// <summary>The call is over, or nothing is held any more: the object serves no call.</summary>
    public void End()
    {
        flow.Loop.Patience.Cancel(this);
        LetGo();
        _messages.Clear();
        Job = null;
        _left = 0;
        MoveTo(HoldState.Free);
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        if (_left > _leftAtWatch)
        {
            Watch();
        }
        else
        {
            flow.OnStalled(this);
        }
    }

    /// <summary>The slave waits. The connection may have let the job go on meanwhile, because it held the job back too.</summary>
    private bool IsSlowed(Job job) => _slowed is not null && (_slowsWhole || job.AnswerHeld);

    private void OnJobEnded()
    {
        LetGo();
        Job = null;
    }

    private void LetGo()
    {
        IJobRunner? slave = _slowed;
        _slowed = null;
        slave?.LetGo(_slaveChannel); // the slave sends its answers again later in the turn, not here
    }

    private void WatchFirst()
    {
        if (!IsArmed)
        {
            Watch();
        }
    }

    private void Watch()
    {
        _leftAtWatch = _left;
        flow.Loop.Patience.Arm(this, flow.Loop.ListenedMs + (StallSeconds * 1000));
    }

    private void MoveTo(HoldState next)
    {
        if (State == HoldState.Free && next != HoldState.Held)
        {
            throw new InvalidOperationException($"an answer cannot go from {State} to {next}");
        }

        State = next;
    }
}
