using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Backends.Rings;

/// <summary>
/// The node's end of a slave's pair of rings, on the loop: writes requests, takes answers, rings and hears the doorbells. Threads and
/// processes use the same class.
/// </summary>
/// <remarks>
/// Safety: owns the segment and both bells, and disposes them in <see cref="Close"/>, after the ring ends were detached. The thread of a
/// thread slave must have ended before.
/// </remarks>
internal sealed class RingPort : LoopHandler, IWorkerWay
{
    /// <summary>
    /// After so many bytes a publish comes early, within the turn, so that the slave works while the loop still reads: an eighth of the
    /// usual ring.
    /// </summary>
    private const int EarlyPublishBytes = 128 << 10;

    private readonly EventLoop _loop;
    private readonly Slave _slave;
    private readonly Segment _segment;
    private readonly EventDescriptor _nodeBell;
    private readonly EventDescriptor _slaveBell;
    private readonly ByteRingWriter _requests;
    private readonly ByteRingReader _answers;
    private readonly PieceAssembler _pieces;
    private readonly BellTask _bellTask;
    private readonly ReadWait _readWait;
    private readonly AnswerSource _source;
    private readonly BegunJobs _begun;
    private readonly Action<string> _onFault;
    private bool _paused;
    private bool _closed;
    private int _neededBytes;  // of the pieces, before another look at them
    private long _skipBytes;   // the rest of a message that is too long: to be passed over

    public RingPort(EventLoop loop, Slave slave, Segment segment, EventDescriptor nodeBell, EventDescriptor slaveBell,
        Action<string> onFault)
    {
        _loop = loop;
        _slave = slave;
        _segment = segment;
        _nodeBell = nodeBell;
        _slaveBell = slaveBell;
        _onFault = onFault;
        _begun = new BegunJobs(slave, segment.Words);
        _requests = new ByteRingWriter(segment.Requests);
        _answers = new ByteRingReader(segment.Responses);

        // A message of the largest size, and a piece that begins with its last byte.
        _pieces = new PieceAssembler(
            ProtocolLimits.Default.MaxMessageBytes + ProtocolLimits.FramingBytes + (segment.Responses.CapacityBytes / 4));
        _bellTask = new BellTask(this);
        _readWait = new ReadWait(loop, slave, _requests);
        _source = new AnswerSource(this);
    }

    public MessageSink Sink => _requests;

    public long BacklogBytes => _requests.OverflowBytes;

    /// <summary>Every worker that knows rings knows bin.</summary>
    public bool PeerSpeaksBin => true;

    public string Kind => "shared memory";

    public bool IsBlocked => BacklogBytes > 0;

    public BegunJobs Begun => _begun;

    BegunJobs? IWorkerWay.Begun => _begun;

    public void Open()
    {
        _loop.Watch(this, _nodeBell.Descriptor, Epoll.In | Epoll.EdgeTriggered);
        _loop.Poll(_source);
    }

    /// <summary>Shows the written messages at the end of the turn, or now when they are many.</summary>
    public void Flush()
    {
        if (!_bellTask.Scheduled)
        {
            _loop.ScheduleBell(_bellTask);
        }

        if (_requests.UnpublishedBytes > EarlyPublishBytes)
        {
            Publish();
        }
    }

    /// <inheritdoc/>
    public void AskForRead()
    {
        _readWait.Ask();
        _loop.ScheduleBell(_bellTask);
    }

    public void PauseReading() => _paused = true;

    public void ResumeReading()
    {
        _paused = false;
        if (!_closed)
        {
            _loop.Poll(_source);
        }
    }

    /// <summary>Takes the answers that are left in the ring of a dead slave.</summary>
    public void DrainAnswers()
    {
        if (!_closed && _answers.Fault is null)
        {
            _paused = false;
            Take();
        }
    }

    /// <summary>Stops touching the rings, while the other side may still do so.</summary>
    public void Detach()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _loop.Forget(this, _nodeBell.Descriptor);
        _requests.Detach();
        _readWait.Stop();
        _answers.Detach();
        _pieces.Clear();
    }

    /// <summary>Frees the rings; the other side has ended.</summary>
    public void Close()
    {
        Detach();
        _begun.Stop(); // later questions find the segment gone
        _loop.Lending.End(); // a connection may hold bytes of this ring, when its records are being taken
        _segment.Dispose();
        _nodeBell.Dispose();
        _slaveBell.Dispose();
    }

    /// <summary>The slave rang: there are answers, or room.</summary>
    public override void OnReady(uint events)
    {
        _loop.Poll(_source);
        if (_requests.OverflowBytes > 0)
        {
            _loop.ScheduleBell(_bellTask);
        }

        _readWait.OnBell();
    }

    private void Publish()
    {
        if (_closed)
        {
            return;
        }

        bool drained = _requests.DrainOverflow();
        if (_requests.Publish())
        {
            RingSlave();
        }

        // The port asks for the bell only after the publish: a slave that was shown no message would make no room.
        while (!drained && !_requests.TryWaitForRoom())
        {
            drained = _requests.DrainOverflow();
            if (_requests.Publish())
            {
                RingSlave();
            }
        }

        if (drained && _readWait.OnPublished())
        {
            _nodeBell.Ring(); // the slave has read all by now, and is heard in the next turn
        }

        if (_requests.Fault is { } fault)
        {
            _onFault(fault);
        }
        else if (_requests.OverflowBytes < EngineLimits.HighBacklogBytes / 2)
        {
            _slave.Pressure.Ease(); // also when a write has found room for all that waited, since the last publish
        }
    }

    private void RingSlave()
    {
        _loop.Counters.Bells++;
        _slaveBell.Ring();
    }

    /// <summary>Takes every record in the ring. Meanwhile connections may send from its memory.</summary>
    private unsafe void Take()
    {
        _loop.Lending.Begin(_segment.Responses.Data, _segment.Responses.CapacityBytes);
        string? fault = null;
        try
        {
            while (!_paused && !_closed && fault is null && TryTakeOne(out fault))
            {
            }
        }
        finally
        {
            _loop.Lending.End();
        }

        if (fault is not null)
        {
            _answers.Detach();
            _onFault(fault);
        }
        else if (!_closed && _answers.Release())
        {
            RingSlave();
        }
    }

    /// <summary>Takes one record; false when there is none.</summary>
    private bool TryTakeOne(out string? fault)
    {
        RingRead read = _answers.TryRead(out ReadOnlySpan<byte> payload, out RecordKind kind);
        fault = read switch
        {
            RingRead.Empty => null,
            RingRead.Fault => _answers.Fault,
            _ => TakeRecord(payload, kind),
        };
        return read == RingRead.Record;
    }

    private string? TakeRecord(ReadOnlySpan<byte> payload, RecordKind kind)
    {
        if (kind == RecordKind.More || _pieces.UnderWay || _skipBytes > 0)
        {
            return TakePiece(payload, kind);
        }

        return TakeMessages(payload, mayBeCut: false, out _);
    }

    /// <summary>
    /// A piece of a stream of messages. The stream may have any length, so messages are taken as soon as they are whole. A message that is
    /// too long is passed over.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private string? TakePiece(ReadOnlySpan<byte> piece, RecordKind kind)
    {
        int passed = (int)Math.Min(_skipBytes, piece.Length);
        _skipBytes -= passed;
        if (!_pieces.TryAdd(piece[passed..]))
        {
            return "a message in pieces grew over the limit of one message";
        }

        bool isLast = kind == RecordKind.Last;
        if (_pieces.Bytes.Length >= _neededBytes || isLast)
        {
            string? fault = TakeMessages(_pieces.Bytes, mayBeCut: !isLast, out int taken);
            _pieces.Drop(taken);
            if (fault is not null)
            {
                return fault;
            }
        }

        return isLast && _skipBytes > 0 ? "a record that ends within a message" : null;
    }

    /// <summary>Takes whole messages; the last one may be cut where more pieces follow.</summary>
    private string? TakeMessages(ReadOnlySpan<byte> bytes, bool mayBeCut, out int taken)
    {
        taken = _neededBytes = 0;
        while (taken < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[taken..];
            DecodeStatus status = MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout);
            if (status == DecodeStatus.NeedMore && mayBeCut)
            {
                _neededBytes = layout.TotalBytes;
                return null;
            }

            string? fault;
            if (status == DecodeStatus.Ok)
            {
                taken += layout.TotalBytes;
                if (!_slave.OnMessage(new MessageView(in layout, rest), out fault))
                {
                    return fault;
                }
            }
            else if (status == DecodeStatus.TooLarge && OverlongMessage.Read(rest, ProtocolLimits.Default) is { } message)
            {
                int here = (int)Math.Min(message.TotalBytes, rest.Length);
                taken += here;
                _skipBytes = message.TotalBytes - here;
                fault = OverlongAnswer.Take(_slave, in message, ProtocolLimits.Default);
                if (fault is not null)
                {
                    return fault;
                }
            }
            else
            {
                return $"a record that is no message ({layout.Problem ?? status.ToString()})";
            }
        }

        return null;
    }

    private sealed class BellTask(RingPort port) : TurnTask
    {
        public override void OnTurnEnd() => port.Publish();
    }

    private sealed class AnswerSource(RingPort port) : PolledSource
    {
        public override bool Poll()
        {
            port.Take();
            return !port._paused && !port._closed;
        }

        public override bool TryPark() => port._closed || port._paused || port._answers.TryPark();
    }
}
