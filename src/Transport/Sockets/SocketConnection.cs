using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// A connected stream socket on a loop. Received bytes go straight into the loop's blocks; bytes that are written in a turn go out with one
/// send at its end. All members are for the loop's thread.
/// </summary>
/// <remarks>
/// Safety: the descriptor is closed once, in <see cref="Close"/>, after the loop forgot it.
/// </remarks>
internal abstract class SocketConnection : LoopHandler
{
    /// <summary>The most receives of one event before others get their turn, of up to five large blocks each.</summary>
    private const int MaxReceivesPerEvent = 2;

    /// <summary>A write that Nagle's algorithm holds up is shorter than the smallest usual packet, bytes.</summary>
    private const int SmallBytes = 1200;

    private readonly SocketSender _sender;
    private readonly ResumeTask _resumeTask;
    private readonly InputBlocks _input; // the bytes that OnReceived has not taken
    private int _descriptor;
    private uint _watched;
    private bool _readingPaused;
    private bool _delivering;      // inside Deliver, which checks for the pause itself
    private bool _inputEnded;      // the peer has sent its last byte; the socket is still open for answers

    protected SocketConnection(EventLoop loop, int descriptor)
    {
        Loop = loop;
        _descriptor = descriptor;
        _sender = new SocketSender(this);
        _input = new InputBlocks(this);
        _resumeTask = new ResumeTask(this);
    }

    public EventLoop Loop { get; }

    public bool IsOpen => _descriptor >= 0;

    /// <summary>The descriptor, to hand over others; -1 when closed.</summary>
    public int Descriptor => _descriptor;

    /// <summary>True between <see cref="PauseReading"/> and <see cref="ResumeReading"/>.</summary>
    public bool IsReadingPaused => _readingPaused;

    /// <summary>The time of the last byte, ms of the loop's listened time.</summary>
    public long LastReceivedMs { get; private set; }

    /// <summary>The peer for logs: its address, or "unix".</summary>
    public string PeerName => SocketNames.Peer(_descriptor);

    /// <summary>The sink for answers; call <see cref="ScheduleSend"/> afterwards.</summary>
    public PipeSink Output => _sender.Output;

    /// <summary>The socket has taken as many bytes as it has room for: the written ones wait.</summary>
    public bool IsSendBlocked => _sender.IsBlocked;

    /// <summary>Starts to watch the socket.</summary>
    public void Open()
    {
        LastReceivedMs = Loop.ListenedMs;
        _watched = Epoll.In | Epoll.PeerClosed;
        Loop.Watch(this, _descriptor, _watched);
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
        _readingPaused = true;
        _input.Excuse();
        UpdateWatch();
    }

    public void ResumeReading()
    {
        if (!_readingPaused || !IsOpen)
        {
            return;
        }

        _readingPaused = false;
        UpdateWatch();
        if (_input.HasNews && !_delivering && !_resumeTask.Scheduled)
        {
            // Not here: the caller that resumes is in the middle of its work, and waiting messages may make new work for it.
            Loop.ScheduleSend(_resumeTask);
        }
    }

    /// <summary>
    /// Goes on reading like <see cref="ResumeReading"/>, and looks at the waiting bytes at once: for a caller that is not in the middle of
    /// other work.
    /// </summary>
    public void ResumeNow()
    {
        if (_readingPaused && IsOpen)
        {
            _readingPaused = false;
            UpdateWatch();
            if (!_delivering)
            {
                Deliver();
            }
        }
    }

    /// <summary>Sends as many of the written bytes as the socket takes, before the turn ends.</summary>
    public void SendNow() => _sender.Flush();

    /// <summary>Closes the socket at once; bytes not sent are dropped. Calls <see cref="OnClosed"/> once.</summary>
    public void Close(string reason)
    {
        _sender.Settle(); // the send may find the peer gone, and close
        if (!IsOpen)
        {
            return;
        }

        Loop.Forget(this, _descriptor);
        _ = LibC.close(_descriptor);
        _descriptor = -1;
        Output.Clear();
        DropInput();
        OnClosed(reason);
    }

    /// <summary>Sends as much as possible and closes.</summary>
    public void FlushAndClose(string reason)
    {
        if (IsOpen)
        {
            _sender.Flush();
            Close(reason);
        }
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

        if ((events & (Epoll.In | Epoll.PeerClosed)) != 0 && !_readingPaused)
        {
            Receive();
        }
        else if ((events & (Epoll.Error | Epoll.HangUp)) != 0)
        {
            Close("the peer is gone");
        }
    }

    /// <summary>
    /// Takes whole messages off the front of <paramref name="buffer"/> and returns the number of their bytes. May close the connection.
    /// </summary>
    protected abstract long OnReceived(in ReadOnlySequence<byte> buffer);

    /// <summary>The connection has ended, for any reason.</summary>
    protected abstract void OnClosed(string reason);

    /// <summary>
    /// The peer is not a part of the node: its unfinished messages are bounded by <see cref="PartialMessages"/>. False for a connection to
    /// a server, and for one to a worker.
    /// </summary>
    internal virtual bool IsOfStranger => false;

    /// <summary>The loop does not keep the beginning of the peer's message any longer. The connection drops it, or closes.</summary>
    internal virtual void OnPartialRefused(PartialFault fault) => Close(PartialProblem.Of(fault));

    /// <summary>Something is under way: the peer's silence does not make the connection idle for <see cref="IdleWatch"/>.</summary>
    internal virtual bool IsBusy => false;

    /// <summary>The peer has to send more before it gets an answer, although the last message was whole.</summary>
    internal virtual bool AwaitsMore => false;

    /// <summary>The connection was idle for the time of its <see cref="IdleWatch"/>.</summary>
    internal virtual void OnIdle() => Close("the connection was idle");

    /// <summary>Drops the received bytes that were not taken. Bytes that are being looked at go afterwards.</summary>
    protected void DropInput()
    {
        if (!_delivering)
        {
            _input.Drop();
        }
    }

    /// <summary>The kernel has taken all written bytes.</summary>
    protected virtual void OnSent()
    {
    }

    /// <summary>The sender's way to <see cref="OnSent"/>.</summary>
    internal void TellSent() => OnSent();

    /// <summary>Watches only for useful events: bytes unless paused, room when the socket was full.</summary>
    internal void UpdateWatch()
    {
        uint wanted = (_readingPaused || _inputEnded ? 0 : Epoll.In | Epoll.PeerClosed) | (_sender.IsBlocked ? Epoll.Out : 0);
        if (IsOpen && wanted != _watched && Slot >= 0)
        {
            _watched = wanted;
            Loop.Change(this, _descriptor, wanted);
        }
    }

    /// <summary>
    /// The peer has closed its side. All its bytes were received, and given to <see cref="OnReceived"/> unless reading is paused. True
    /// keeps the connection open for the bytes that are still to be sent; the connection closes when the peer goes away completely.
    /// </summary>
    protected virtual bool OnPeerEnded() => false;

    private void Receive()
    {
        bool ended = false;
        bool failed = false;
        long received = 0;
        for (int i = 0; i < MaxReceivesPerEvent; i++)
        {
            nint count = _input.Receive(out bool isFull);
            received += Math.Max(count, 0);
            ended = count == 0 || (count < 0 && -count is not (LibC.EAGAIN or LibC.EINTR));
            failed = count < 0;
            if (!isFull)
            {
                break;
            }
        }

        if (received > 0)
        {
            LastReceivedMs = Loop.ListenedMs;
            Deliver();
            if (received < SmallBytes && IsOpen && IsOfStranger && (AwaitsMore || _input.UnreadBytes > 0) && Output.PendingBytes == 0)
            {
                SocketTuning.AcknowledgeNow(_descriptor);
            }
        }
        else if (!ended)
        {
            _input.ReturnIfEmpty();
        }

        if (ended && IsOpen)
        {
            EndInput(failed);
        }
    }

    private void EndInput(bool failed)
    {
        _inputEnded = true;
        if (failed || !OnPeerEnded())
        {
            Close("the peer closed the connection");
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
                _input.Take(taken, looksAgain: _readingPaused);
                if (!IsOpen)
                {
                    DropInput(); // also after a fault
                }
            }
        }

        if (!IsOpen)
        {
            DropInput();
        }
        else
        {
            _input.Settle();
        }
    }

    /// <summary>
    /// Shows the written bytes to the pipe's reader. Completes inline: the pipe has no thresholds and its schedulers are inline.
    /// </summary>
    internal static void Commit(Pipe pipe)
    {
        ValueTask<FlushResult> flushed = pipe.Writer.FlushAsync();
        Debug.Assert(flushed.IsCompleted);
        flushed.GetAwaiter().GetResult();
    }

    private sealed class ResumeTask(SocketConnection connection) : TurnTask
    {
        public override void OnTurnEnd()
        {
            if (connection.IsOpen && !connection._readingPaused)
            {
                connection.Deliver();
            }
        }
    }
}
