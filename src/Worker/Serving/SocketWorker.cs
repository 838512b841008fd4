using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>A worker's loop over its socket, used when there is no pipe.</summary>
/// <remarks>
/// Safety: owns the bell and the epoll, not the page, nor the socket, which must be open and non-blocking until
/// <see cref="SlaveLoop.Run"/> has returned. The addresses of the buffers are good for the duration of a call only.
/// </remarks>
internal sealed unsafe class SocketWorker : SlaveLoop
{
    private const ulong BellData = 0, SocketData = 1;

    /// <summary>Bytes that one receive takes at most: about as many as a socket buffers.</summary>
    private const int ReceiveBytes = 256 << 10;

    /// <summary>Receives until other work has its turn.</summary>
    private const int MostReceives = 4;

    private const int NoSignal = 0x4000, DontWait = 0x40;

    private readonly int _socket;
    private readonly EventDescriptor _bell = new();
    private readonly Epoll _epoll = new();
    private readonly SendBuffer _output = new();
    private readonly BeginGate? _gate;
    private readonly WorkerSession _session;
    private byte[] _input = new byte[ReceiveBytes];
    private int _received;      // bytes of _input in use: the start of a message that is not whole
    private uint _watched;
    private bool _hasGone;      // the node has closed its side

    /// <param name="socket">The socket, after the handshake and the first heartbeat.</param>
    /// <param name="app">Has the handlers.</param>
    /// <param name="hasFlow">Both sides know flow control of one channel.</param>
    /// <param name="page">Where both sides see what is begun; null when the node gives no jobs ahead of their turn.</param>
    public SocketWorker(int socket, AppHost app, bool hasFlow, BeginPage? page)
    {
        _socket = socket;
        _gate = page is null ? null : new BeginGate(page.Words);
        _session = new WorkerSession(app, _bell, _output, () => _output.Unsent.Length - Limits.InPlaceOfRingBytes, Seat, _gate)
        {
            HasFlow = hasFlow,
            BetweenHandlers = PublishWhenLate,
        };
    }

    /// <inheritdoc/>
    public override bool HasFlow => _session.HasFlow;

    protected override WorkerSession Session => _session;

    protected override MessageSink Sink => _output;

    protected override long UnpublishedBytes => _output.Unsent.Length;

    protected override bool IsAllSent => _output.Unsent.IsEmpty;

    protected override void RingOwnBell() => _bell.Ring();

    protected override void Begin()
    {
        _epoll.Watch(_bell.Descriptor, Epoll.In | Epoll.EdgeTriggered, BellData);
        _watched = Epoll.In | Epoll.PeerClosed;
        _epoll.Watch(_socket, _watched, SocketData);
        _gate?.Open();
        base.Begin();
    }

    protected override void Close()
    {
        _epoll.Dispose();
        _bell.Dispose();
    }

    protected override bool TakeBatch(bool runs, out bool any)
    {
        any = false;
        for (int i = 0; i < MostReceives && !_hasGone && !IsFull; i++)
        {
            if (!Receive(out bool isMore))
            {
                return true;
            }

            any = true;
            string? problem = _session.TakeWhole(_input.AsSpan(0, _received), out int taken);
            if (!IsGood(problem))
            {
                return false;
            }

            Consume(taken);
            if (runs)
            {
                _session.StartPending();
                PublishWhenLate();
            }

            if (!isMore)
            {
                return true;
            }
        }

        return true;
    }

    protected override bool Push(out WorkerExit exit)
    {
        exit = WorkerExit.Abandoned;
        while (!_hasGone && !_output.Unsent.IsEmpty)
        {
            nint sent;
            ReadOnlySpan<byte> unsent = _output.Unsent;
            fixed (byte* start = unsent)
            {
                sent = LibC.send(_socket, start, unsent.Length, NoSignal | DontWait);
            }

            if (sent >= 0)
            {
                _output.OnSent((int)sent);
            }
            else if (Marshal.GetLastPInvokeError() == LibC.EAGAIN)
            {
                break;
            }
            else
            {
                _hasGone = Marshal.GetLastPInvokeError() != LibC.EINTR;
            }
        }

        return !_hasGone;
    }

    protected override bool Park(int timeoutMs)
    {
        if (_hasGone)
        {
            return false;
        }

        uint wanted = (IsFull ? 0 : Epoll.In | Epoll.PeerClosed) | (_output.Unsent.IsEmpty ? 0 : Epoll.Out);
        if (wanted != _watched)
        {
            _watched = wanted;
            _epoll.Change(_socket, wanted, SocketData);
        }

        bool hasWork = _session.Inbox.HasCalls || _session.HasWaiterWithRoom || _session.HasHeldBackWithRoom || IsAbandoned;
        int events = _epoll.Wait(hasWork ? 0 : timeoutMs);
        for (int i = 0; i < events; i++)
        {
            // Reported whatever is watched: the node is gone, and the worker goes too, also when its handlers do not read.
            if ((_epoll.Event(i, out ulong data) & (Epoll.Error | Epoll.HangUp)) != 0 && data == SocketData)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Nothing more is taken from the node; but a recall must be read, since nothing begins without it.</summary>
    private bool IsFull => _session.IsFull() && !_session.AwaitsRecall;

    /// <summary>Receives once; false when nothing has come.</summary>
    private bool Receive(out bool isMore)
    {
        isMore = false;
        if (_input.Length - _received < ReceiveBytes / 2)
        {
            Array.Resize(ref _input, Math.Max(_input.Length * 2, ReceiveBytes));
        }

        nint count;
        fixed (byte* start = &_input[_received])
        {
            count = LibC.recv(_socket, start, _input.Length - _received, DontWait);
        }

        if (count > 0)
        {
            _received += (int)count;
            isMore = true;
            return true;
        }

        _hasGone = count == 0 || Marshal.GetLastPInvokeError() is not (LibC.EAGAIN or LibC.EINTR);
        return false;
    }

    private void Consume(int taken)
    {
        int rest = _received - taken;
        bool wasLong = _input.Length > Limits.KeptBytes; // shorter ones stay: a burst of requests comes again
        byte[] next = wasLong && rest < ReceiveBytes / 2 ? new byte[ReceiveBytes] : _input;
        _input.AsSpan(taken, rest).CopyTo(next);
        _input = next;
        _received = rest;
    }
}
