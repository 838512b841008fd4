using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// A connected stream socket on a loop. Received bytes go straight into the loop's blocks; bytes that are written in a turn go out with one
/// send at its end. All members are for the loop's thread.
/// </summary>
/// <remarks>
/// Safety: the descriptor is closed once, in <see cref="Close"/>, after the loop forgot it.
/// </remarks>
internal abstract class SocketConnection : StreamHandler
{
    /// <summary>A write that Nagle's algorithm holds up is shorter than the smallest usual packet, bytes.</summary>
    private const int SmallBytes = 1200;

    private readonly SocketSender _sender;
    private readonly ResumeTask _resumeTask;
    private readonly InputBlocks _input; // the bytes that OnReceived has not taken
    private TlsLayer? _tls;        // null on a connection without TLS
    private uint _watched;
    private bool _delivering;      // inside Deliver, which checks for the pause itself
    private bool _inputEnded;      // the peer has sent its last byte; the socket is still open for answers

    protected SocketConnection(EventLoop loop, int descriptor)
        : base(loop, descriptor)
    {
        _sender = new SocketSender(this);
        _input = new InputBlocks(this);
        _resumeTask = new ResumeTask(this);
    }

    /// <summary>The time of the last byte, ms of the loop's listened time.</summary>
    public long LastReceivedMs { get; private set; }

    /// <summary>The peer for logs: its address, or "unix".</summary>
    public string PeerName => SocketNames.Peer(Descriptor);

    /// <summary>The sink for answers; call <see cref="ScheduleSend"/> afterwards.</summary>
    public PipeSink Output => _sender.Output;

    /// <summary>The socket has taken as many bytes as it has room for: the written ones wait.</summary>
    public bool IsSendBlocked => _sender.IsBlocked;

    internal sealed override int HiddenBytes => _tls?.HiddenBytes ?? 0;

    /// <summary>The bytes on the wire are TLS from now on. Before <see cref="Open"/>.</summary>
    /// <param name="session">A session whose handshake is done; it belongs to the connection from now on.</param>
    /// <param name="first">Bytes that came behind the handshake, at most 64 KiB.</param>
    /// <param name="peer">The client's certificate, which was verified.</param>
    public void Secure(TlsSession session, ReadOnlySpan<byte> first, TlsPeer? peer = null)
    {
        _tls = _sender.Tls = new TlsLayer(session, first, Loop.Buffers);
        IsSecured = true;
        Certified = peer;
    }

    /// <summary>Starts to watch the socket.</summary>
    public void Open()
    {
        LastReceivedMs = Loop.ListenedMs;
        _watched = Epoll.In | Epoll.PeerClosed;
        Loop.Watch(this, Descriptor, _watched);
        ResumeWaiting();
    }

    /// <summary>Sends the written bytes, once, at the end of this turn.</summary>
    public void ScheduleSend()
    {
        if (!_sender.Scheduled)
        {
            Loop.ScheduleSend(_sender);
        }
    }

    /// <summary>Stops taking bytes from the peer: first the kernel's buffer fills, then the peer waits.</summary>
    public void PauseReading()
    {
        IsReadingPaused = true;
        _input.Excuse();
        UpdateWatch();
    }

    public void ResumeReading()
    {
        if (!IsReadingPaused || !IsOpen)
        {
            return;
        }

        IsReadingPaused = false;
        UpdateWatch();
        if (_input.HasNews && !_delivering && !_resumeTask.Scheduled)
        {
            // Not here: the caller that resumes is in the middle of its work, and waiting messages may make new work for it.
            Loop.ScheduleSend(_resumeTask);
        }

        ResumeWaiting();
    }

    /// <summary>
    /// Goes on reading like <see cref="ResumeReading"/>, and looks at the waiting bytes at once: for a caller that is not in the middle of
    /// other work.
    /// </summary>
    public void ResumeNow()
    {
        if (IsReadingPaused && IsOpen)
        {
            IsReadingPaused = false;
            UpdateWatch();
            if (!_delivering)
            {
                Deliver();
            }

            ResumeWaiting();
        }
    }

    /// <summary>Sends as many of the written bytes as the socket takes, before the turn ends.</summary>
    public void SendNow() => _sender.Flush();

    /// <inheritdoc cref="SocketSender.AskForRead"/>
    public void AskForRead() => _sender.AskForRead();

    /// <inheritdoc/>
    public sealed override void Close(string reason)
    {
        _sender.Settle(); // the send may find the peer gone, and close
        if (!IsOpen)
        {
            return;
        }

        Loop.Forget(this, Descriptor);
        _ = LibC.close(Descriptor);
        Descriptor = -1;
        Output.Clear();
        _tls?.Dispose();
        DropInput();
        OnClosed(reason);
    }

    /// <summary>Sends as much as possible and closes.</summary>
    public void FlushAndClose(string reason)
    {
        if (IsOpen)
        {
            _sender.Flush();
            EndAndClose(reason);
        }
    }

    /// <inheritdoc/>
    public sealed override void EndAndClose(string reason)
    {
        _sender.TellEnd();
        Close(reason);
    }

    /// <summary>All is sent: the peer reads the end behind it. Its own bytes can still be received.</summary>
    protected void EndOutput()
    {
        _sender.TellEnd();
        SocketEnds.EndWriting(Descriptor);
    }

    public sealed override void OnReady(uint events)
    {
        if ((events & Epoll.Out) != 0)
        {
            _sender.OnRoom();
        }

        if (!IsOpen)
        {
            return;
        }

        if ((events & (Epoll.In | Epoll.PeerClosed)) != 0 && !IsReadingPaused)
        {
            if (TakeRest())
            {
                Receive();
            }
        }
        else if ((events & (Epoll.Error | Epoll.HangUp)) != 0)
        {
            Close("the peer is gone");
        }
    }

    /// <summary>Drops the received bytes that were not taken. Bytes that are being looked at go afterwards.</summary>
    protected void DropInput()
    {
        if (!_delivering)
        {
            _input.Drop();
        }
    }

    /// <summary>Watches only for useful events: bytes unless paused, room when the socket was full.</summary>
    internal void UpdateWatch()
    {
        uint wanted = (IsReadingPaused || _inputEnded ? 0 : Epoll.In | Epoll.PeerClosed) | (_sender.AwaitsRoom ? Epoll.Out : 0);
        if (IsOpen && wanted != _watched && Slot >= 0)
        {
            _watched = wanted;
            Loop.Change(this, Descriptor, wanted);
        }
    }

    /// <summary>Looks at the bytes that a pause has left. They would pile up if more were received before.</summary>
    /// <returns>False when the connection takes no more for now.</returns>
    private bool TakeRest()
    {
        if (IsOpen && !IsReadingPaused && _input.HasNews)
        {
            Deliver();
        }

        return IsOpen && !IsReadingPaused;
    }

    private void Receive()
    {
        if (_tls is not null)
        {
            ReceiveTls(_tls);
            return;
        }

        long received = _input.ReceiveAll(out bool ended, out bool failed);
        OnCame(received, ended);
        if (ended && IsOpen)
        {
            EndInput(failed ? "the peer closed the connection" : null);
        }
    }

    /// <summary>Receives records. A failure is told to the peer by an alert, which goes out before the close.</summary>
    private void ReceiveTls(TlsLayer tls)
    {
        _sender.Settle();
        if (!IsOpen)
        {
            return;
        }

        TlsResult result = tls.Receive(Descriptor, _input, Loop.Counters, out long received);
        bool ended = result != TlsResult.NeedMore;
        OnCame(received, ended);
        if (ended && IsOpen)
        {
            _sender.SendAlert();
            EndInput(result == TlsResult.Closed ? null : tls.Problem);
        }
        else if (IsOpen && tls.Wire.PendingBytes > 0)
        {
            ScheduleSend();
        }

        ResumeWaiting();
    }

    /// <summary>Received bytes that are kept for the next turn come without an event.</summary>
    private void ResumeWaiting()
    {
        if (_tls is { HasWaiting: true } && IsOpen && !IsReadingPaused && !_inputEnded && !_resumeTask.Scheduled)
        {
            Loop.ScheduleSend(_resumeTask);
        }
    }

    private void OnCame(long received, bool ended)
    {
        if (received > 0)
        {
            LastReceivedMs = Loop.ListenedMs;
            Deliver();
            if (received < SmallBytes && IsOpen && IsOfStranger && (AwaitsMore || _input.UnreadBytes > 0) && Output.PendingBytes == 0)
            {
                SocketTuning.AcknowledgeNow(Descriptor);
            }
        }
        else if (!ended)
        {
            _input.ReturnIfEmpty();
        }
    }

    /// <param name="problem">The peer's bytes may not be whole; null when the peer has ended them.</param>
    private void EndInput(string? problem)
    {
        _inputEnded = true;
        if (problem is not null || !OnPeerEnded())
        {
            Close(problem ?? "the peer closed the connection");
        }
        else if (IsOpen)
        {
            _input.ReturnIfEmpty();
            UpdateWatch();
        }
    }

    private void Deliver()
    {
        // False when all waiting bytes were looked at before, as in a resume after a receive in the same turn.
        if (_input.HasNews)
        {
            long taken = 0;
            _delivering = true;
            try
            {
                taken = OnReceived(_input.Bytes);
            }
            finally
            {
                _delivering = false;

                // A pause leaves whole messages behind: the resume must be able to read them without new bytes.
                _input.Take(taken, looksAgain: IsReadingPaused);
                if (!IsOpen)
                {
                    DropInput(); // also after a fault
                }
            }
        }

        if (IsOpen)
        {
            _input.Settle();
        }
    }

    private sealed class ResumeTask(SocketConnection connection) : TurnTask
    {
        public override void OnTurnEnd()
        {
            if (connection.TakeRest() && connection._tls is { HasWaiting: true } tls)
            {
                connection.ReceiveTls(tls);
            }
        }
    }
}
