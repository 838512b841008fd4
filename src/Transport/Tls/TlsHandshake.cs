using System.Buffers;
using System.Net;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// A connection whose handshake is under way. Its door hears of the connection when the session is there. The peer is a stranger: time,
/// bytes and number are bounded, and the arithmetic is on a worker's thread.
/// </summary>
/// <remarks>
/// Safety: the descriptor and the session have one owner: this object until Ended, then the door or nobody. In Away the session belongs to
/// the worker; an end meanwhile closes the descriptor, and the session goes when the worker is done.
/// </remarks>
internal sealed unsafe class TlsHandshake : LoopHandler, ITlsStep
{
    /// <summary>The most bytes of a peer before its session is there: a chain of certificates, and some frames.</summary>
    private const int MaxBytes = 32 << 10;

    /// <summary>The most bytes of a receive.</summary>
    private const int ReceiveBytes = 16 << 10;

    /// <summary>Time until bytes that wait are looked at again, ms: short for a client, and few looks within the timeout.</summary>
    private const int WaitMs = 50;

    private const int NoSignalDontWait = 0x4000 | 0x40;

    private readonly EventLoop _loop;
    private readonly TlsDoors _doors;
    private readonly DoorTls _door;
    private readonly IPAddress _from;
    private readonly Deadline _deadline;
    private readonly NextLook _nextLook;
    private readonly StepDone _stepDone;
    private readonly ArrayBufferWriter<byte> _answer = new(4096); // of the worker in Away, otherwise of the loop
    private byte[] _input = [];        // bytes of the peer that were not taken; of the worker in Away
    private int _descriptor;           // -1 in Ended
    private TlsSession? _session;      // made with the first bytes; of the worker in Away
    private TlsResult _result;         // of the last step; valid in Sending
    private string _problem = "";      // why it failed; valid with _result
    private TlsPeer? _peer;            // valid with _result Ok
    private TlsContexts? _files;       // the files that took the peer; set with the session
    private int _sent;                 // bytes of the answer that the socket has; valid in Sending
    private int _received;             // all bytes of the peer
    private bool _hasStarted;          // the address was charged for it

    private TlsHandshake(EventLoop loop, TlsDoors doors, DoorTls door, int descriptor, IPAddress from, ISecuredDoor owner)
    {
        (_loop, _doors, _door, _descriptor, _from, Owner) = (loop, doors, door, descriptor, from, owner);
        _deadline = new Deadline(this);
        _nextLook = new NextLook(this);
        _stepDone = new StepDone(this);
    }

    public HandshakeState State { get; private set; }

    /// <summary>The socket, for logs; -1 when it is gone.</summary>
    public int Descriptor => _descriptor;

    /// <summary>The door that gets the connection. Changes when another version of the app takes over.</summary>
    public ISecuredDoor Owner { get; set; }

    /// <summary>
    /// Begins a handshake on an accepted socket, on the loop. Null when too many are under way; the socket is closed then.
    /// </summary>
    /// <param name="loop">The loop of the connection.</param>
    /// <param name="doors">The node's TLS.</param>
    /// <param name="door">The door's TLS.</param>
    /// <param name="descriptor">The socket; belongs to the handshake from now on.</param>
    /// <param name="from">The address that counts as one peer.</param>
    /// <param name="owner">The door.</param>
    public static TlsHandshake? TryBegin(
        EventLoop loop, TlsDoors doors, DoorTls door, int descriptor, IPAddress from, ISecuredDoor owner)
    {
        if (!doors.Gate.TryEnter(from, loop.NowMs))
        {
            _ = LibC.close(descriptor);
            return null;
        }

        TlsHandshake handshake = new(loop, doors, door, descriptor, from, owner);
        loop.Watch(handshake, descriptor, Epoll.In | Epoll.PeerClosed);
        loop.Patience.Arm(handshake._deadline, loop.ListenedMs + doors.HandshakeTimeoutMs);
        return handshake;
    }

    /// <summary>Gives the handshake up.</summary>
    public void Close(string reason) => End(reason);

    public override void OnReady(uint events)
    {
        if (State == HandshakeState.Sending)
        {
            Send();
        }
        else if (State == HandshakeState.Receiving)
        {
            Receive();
        }
        else if ((events & (Epoll.Error | Epoll.HangUp)) != 0)
        {
            End("the peer is gone"); // the system tells this in each turn, whatever is watched
        }
    }

    /// <inheritdoc/>
    public void Run()
    {
        TryStep();
        _loop.Post(_stepDone);
    }

    private void Receive()
    {
        byte* scratch = TlsScratch.Own.Input;
        nint count = LibC.recv(_descriptor, scratch, ReceiveBytes, NoSignalDontWait);
        if (count <= 0)
        {
            int error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (error is not (LibC.EAGAIN or LibC.EINTR))
            {
                End(error == 0 ? "the peer closed the connection" : Errno.Describe(error));
            }

            return;
        }

        _received += (int)count;
        if (_received > MaxBytes)
        {
            End($"the peer has sent over {MaxBytes >> 10} KiB");
            return;
        }

        _input = [.. _input, .. new ReadOnlySpan<byte>(scratch, (int)count)];
        if (_door == DoorTls.On && _session?.HasSentFinished == true)
        {
            TryStep(); // a digest to compare: less work than the way to a worker and back
            MoveTo(HandshakeState.Sending);
            _sent = 0;
            Send();
            return;
        }

        MoveTo(HandshakeState.Waiting);
        _loop.Change(this, _descriptor, 0);
        Look();
    }

    /// <summary>Gives the bytes to a worker, when the address may start a handshake and the workers have room.</summary>
    private void Look()
    {
        _hasStarted = _hasStarted || _doors.Gate.TryStart(_from, _loop.NowMs);
        if (!_hasStarted)
        {
            _loop.Timers.Arm(_nextLook, _loop.NowMs + WaitMs);
            return;
        }

        MoveTo(HandshakeState.Away); // before a worker has it
        if (!_doors.Workers.TryRun(this))
        {
            MoveTo(HandshakeState.Waiting);
            _loop.Timers.Arm(_nextLook, _loop.NowMs + WaitMs);
        }
    }

    /// <summary>A step of the session, by its owner.</summary>
    private void TryStep()
    {
        try
        {
            Step();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            (_result, _problem) = (TlsResult.Failed, fault.Message);
        }
    }

    private void Step()
    {
        if (Volatile.Read(ref _descriptor) < 0)
        {
            (_result, _problem) = (TlsResult.Failed, "given up"); // while it waited for the worker
            return;
        }

        _session ??= _doors.TryAccept(_door, out _files);
        if (_session is null)
        {
            (_result, _problem) = (TlsResult.Failed, "the node has no certificate for this door any more");
            return;
        }

        _result = _session.Handshake(_input, _answer, out int taken);
        _input = _input[taken..];
        _problem = _session.Problem;
        if (_result == TlsResult.Ok && _session.PeerChain() is { Count: > 0 } chain)
        {
            _peer = PeerNames.Read(chain);
            string? refusal = _peer is null ? "the certificate cannot be read" : _doors.ProblemOf(_peer, ref _files!);
            (_result, _problem) = refusal is null ? (_result, _problem) : (TlsResult.Failed, refusal);
        }
    }

    /// <summary>The worker is done.</summary>
    private void OnStepDone()
    {
        if (State == HandshakeState.Ended)
        {
            DropSession(); // given up meanwhile
            return;
        }

        MoveTo(HandshakeState.Sending);
        _sent = 0;
        Send();
    }

    private void Send()
    {
        while (_sent < _answer.WrittenCount)
        {
            fixed (byte* rest = _answer.WrittenSpan[_sent..])
            {
                nint sent = LibC.send(_descriptor, rest, _answer.WrittenCount - _sent, NoSignalDontWait);
                int error = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (error is LibC.EAGAIN or LibC.EINTR && _result != TlsResult.Failed)
                {
                    _loop.Change(this, _descriptor, Epoll.Out);
                    return;
                }

                if (error != 0)
                {
                    End(_result == TlsResult.Failed ? _problem : Errno.Describe(error));
                    return;
                }

                _sent += (int)sent;
            }
        }

        _answer.ResetWrittenCount();
        if (_result == TlsResult.NeedMore)
        {
            MoveTo(HandshakeState.Receiving);
            _loop.Change(this, _descriptor, Epoll.In | Epoll.PeerClosed);
        }
        else if (_result == TlsResult.Ok)
        {
            Finish();
        }
        else
        {
            End(_result == TlsResult.Closed ? "the peer ended it" : _problem);
        }
    }

    /// <summary>The door gets the connection.</summary>
    private void Finish()
    {
        SecuredPeer done = new(_descriptor, _session!, _input, _peer);
        _doors.OnSecured(done.Session, _peer); // first: a change of the files sees the client, or the next line sees the change
        if (_peer is not null && _doors.ProblemOf(_peer, ref _files!) is { } refusal)
        {
            End(refusal);
            return;
        }

        _loop.Forget(this, _descriptor);
        _session = null;
        _descriptor = -1;
        Leave();
        Owner.OnSecured(this, done);
    }

    private void End(string reason)
    {
        if (State == HandshakeState.Ended)
        {
            return;
        }

        Owner.OnFailed(this, reason, _doors.OnFailed());
        bool isAway = State == HandshakeState.Away;
        _loop.Forget(this, _descriptor);
        _ = LibC.close(_descriptor);
        Volatile.Write(ref _descriptor, -1); // the other half is in Step
        Leave();
        if (!isAway)
        {
            DropSession();
        }
    }

    private void Leave()
    {
        MoveTo(HandshakeState.Ended);
        _loop.Patience.Cancel(_deadline);
        _loop.Timers.Cancel(_nextLook);
        _doors.Gate.Leave(_from);
    }

    private void DropSession()
    {
        _session?.Dispose();
        _session = null;
    }

    private void MoveTo(HandshakeState next)
    {
        bool isAllowed = (State, next) switch
        {
            (HandshakeState.Ended, _) => false,
            (_, HandshakeState.Ended) => true,
            (HandshakeState.Receiving, HandshakeState.Waiting or HandshakeState.Sending) => true,
            (HandshakeState.Waiting, HandshakeState.Away) => true,
            (HandshakeState.Away, HandshakeState.Waiting or HandshakeState.Sending) => true,
            (HandshakeState.Sending, HandshakeState.Receiving) => true,
            _ => false,
        };
        State = isAllowed ? next : throw new InvalidOperationException($"a handshake cannot go from {State} to {next}");
    }

    private sealed class Deadline(TlsHandshake handshake) : WheelTimer
    {
        public override void OnDue(long nowMs) => handshake.End("it took too long");
    }

    private sealed class NextLook(TlsHandshake handshake) : WheelTimer
    {
        public override void OnDue(long nowMs) => handshake.Look();
    }

    private sealed class StepDone(TlsHandshake handshake) : LoopWork
    {
        public override void Run() => handshake.OnStepDone();
    }
}
