using System.Buffers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>
/// One peer of a raw-server: the common part of all framings. When the peer closes its side, its answers still go out. When all are sent,
/// the node closes its side, and the socket stays until the peer has read them: closing with unread bytes would reset the connection and
/// lose the answers.
/// </summary>
internal abstract class RawConnection : SocketConnection, IJobCaller
{
    /// <summary>
    /// Unsent answers from which on answers are held back, although the socket has not been offered them yet, and reading stops: about as
    /// many bytes as a socket buffers.
    /// </summary>
    protected const long HighOutputBytes = 1 << 20;

    /// <summary>Answer bytes at which a job whose slave cannot be held back fails: two messages of the largest size.</summary>
    protected const long MaxOutputBytes = 128L << 20;

    /// <summary>How long a peer may take to end after the node did: several round trips to any place.</summary>
    private const int LingerMs = 2000;

    private readonly IdleTimer _idle;
    private readonly StallTimer _stall;
    private bool _peerEnded;       // valid in every state: the peer has closed its side
    private long _unread;          // bytes that the last look left behind; valid in Taking
    private bool _waitsWhole;      // reading was paused then: the bytes may hold whole requests; valid in Taking
    private long _lastAnswerMs;    // time of the last answer bytes, ms of the loop's listened time
    private long _written;         // answer bytes written to Output since the start

    protected RawConnection(RawServer server, int descriptor)
        : base(server.Context.Loop, descriptor)
    {
        Server = server;
        Gate = new CallGate(this, server.Guard);
        _idle = new IdleTimer(this);
        _stall = new StallTimer(this);
    }

    public RawState State { get; private set; } = RawState.Taking;

    /// <summary>Decides about the peer's calls.</summary>
    internal CallGate Gate { get; }

    /// <summary>The server of this peer. Changes when another version of the app takes over.</summary>
    protected RawServer Server { get; private set; }

    /// <summary>The engine of new jobs.</summary>
    protected AppEngine Engine => Server.Context.Engine;

    /// <summary>The peer reads more slowly than it is answered. A peer that reads takes all at the end of the turn.</summary>
    protected bool IsBehind =>
        Output.PendingBytes > (IsSendBlocked ? FlowControl.HighBytes : HighOutputBytes);

    /// <summary>Some job has not given its whole answer to <see cref="SocketConnection.Output"/>.</summary>
    protected abstract bool OwesAnswer { get; }

    /// <summary>The peer waits for the app, so its silence does not make the connection idle.</summary>
    protected abstract bool WaitsForApp { get; }

    /// <summary>Nothing keeps the next request from being taken.</summary>
    protected abstract bool MayTake { get; }

    /// <summary>
    /// The bytes that were left when reading was paused have not been looked at again: this will happen without new bytes.
    /// </summary>
    private bool WholeRequestsWait => _waitsWhole && _unread > 0;

    /// <summary>Starts to watch the socket.</summary>
    public void Begin()
    {
        Open();
        _lastAnswerMs = Loop.ListenedMs;
        if (Server.IdleTimeoutMs > 0)
        {
            Loop.Patience.Arm(_idle, Loop.ListenedMs + Server.IdleTimeoutMs);
        }

        OnBegin();
    }

    /// <summary>The driver of the next version, with the same framing, takes over this peer; the peer's jobs stay where they are.</summary>
    public virtual void HandOver(RawServer next)
    {
        Server = next;
        if (next.IdleTimeoutMs > 0 && !_idle.IsArmed)
        {
            Loop.Patience.Arm(_idle, Loop.ListenedMs + next.IdleTimeoutMs);
        }
    }

    public abstract void OnChunk(Job job, in Payload data);

    public abstract void OnDone(Job job);

    public abstract void OnFailed(Job job, in JobError error);

    public abstract void OnRequestPressure(Job job, bool high);

    internal sealed override bool IsOfStranger => true;

    protected virtual void OnBegin()
    {
    }

    /// <summary>
    /// Takes requests off the front of the buffer, and returns their bytes. Pauses reading when it must leave some requests.
    /// </summary>
    protected abstract long Take(in ReadOnlySequence<byte> buffer);

    /// <summary>The rest of a request does not come, or the request is too large for the loop: the connection takes no more.</summary>
    protected virtual void OnUnfinished(int code, string problem) => Abort(problem);

    /// <summary>The peer's last request was taken; <paramref name="rest"/> bytes after it are no whole request.</summary>
    protected abstract void OnRequestsEnded(long rest);

    /// <summary>The connection is gone: jobs are cancelled, slaves let go.</summary>
    protected abstract void Abandon();

    /// <summary>Everything was sent: slaves that were held back may continue.</summary>
    protected abstract void OnRoom();

    /// <summary>Reads or pauses, depending on <see cref="MayTake"/>.</summary>
    protected void UpdateReading()
    {
        if (State != RawState.Taking)
        {
            return;
        }

        if (!MayTake)
        {
            PauseReading();
        }
        else if (IsReadingPaused)
        {
            ResumeReading();
            if (_peerEnded && !WholeRequestsWait)
            {
                OnRequestsEnded(_unread); // no further bytes will come to show the end
            }
        }
    }

    /// <summary>Takes no more requests; closes when all answers are out.</summary>
    protected void Finish()
    {
        if (State == RawState.Taking)
        {
            MoveTo(RawState.Finishing);
            ResumeReading(); // further bytes of the peer are dropped
            ScheduleSend();
        }
    }

    /// <summary>Ends with a reset, so that the peer cannot take the bytes so far for a whole answer.</summary>
    protected void Abort(string reason)
    {
        if (IsOpen)
        {
            SocketEnds.ResetOnClose(Descriptor);
            Close(reason);
        }
    }

    /// <summary>Writes answer bytes unchanged.</summary>
    protected void Write(in Payload data)
    {
        Output.WriteLong(default, in data, default);
        _written += data.Length;
        _lastAnswerMs = Loop.ListenedMs;
        ScheduleSend();
        if (IsBehind && !_stall.IsArmed)
        {
            _stall.Watch();
        }
    }

    protected sealed override long OnReceived(in ReadOnlySequence<byte> buffer)
    {
        if (State != RawState.Taking)
        {
            return buffer.Length;
        }

        long taken = Take(in buffer);
        _unread = buffer.Length - taken;
        _waitsWhole = IsReadingPaused;
        if (_peerEnded && !IsReadingPaused && State == RawState.Taking)
        {
            OnRequestsEnded(_unread);
        }

        return State == RawState.Taking ? taken : buffer.Length;
    }

    internal sealed override void OnPartialRefused(PartialFault fault)
    {
        Server.Door.OnUnfinished(this, fault);
        DropInput();
        _unread = 0;
        OnUnfinished(PartialProblem.CodeOf(fault), PartialProblem.Of(fault));
    }

    protected sealed override bool OnPeerEnded()
    {
        _peerEnded = true;
        if (State == RawState.Taking && !IsReadingPaused && !WholeRequestsWait)
        {
            OnRequestsEnded(_unread);
        }

        return State != RawState.Lingering;
    }

    protected sealed override void OnSent()
    {
        Loop.Patience.Cancel(_stall);
        OnRoom();
        UpdateReading();
        if (State != RawState.Finishing || OwesAnswer || Output.PendingBytes > 0)
        {
            return;
        }

        if (_peerEnded)
        {
            EndAndClose("all is answered");
            return;
        }

        MoveTo(RawState.Lingering);
        Loop.Patience.Arm(_idle, Loop.ListenedMs + LingerMs);
        EndOutput(); // may find the peer gone, and close
    }

    protected sealed override void OnClosed(string reason)
    {
        MoveTo(RawState.Closed);
        Loop.Patience.Cancel(_idle);
        Loop.Patience.Cancel(_stall);
        Server.Remove(this);
        Abandon();
    }

    private void OnIdleDue(long listenedMs)
    {
        if (State == RawState.Lingering)
        {
            EndAndClose("all is answered");
            return;
        }

        if (Server.IdleTimeoutMs == 0)
        {
            return; // another version has none
        }

        long due = Math.Max(LastReceivedMs, _lastAnswerMs) + Server.IdleTimeoutMs;
        if (WaitsForApp || due > listenedMs)
        {
            Loop.Patience.Arm(_idle, Math.Max(due, listenedMs + Math.Min(Server.IdleTimeoutMs, 1000)));
            return;
        }

        Server.Counters.IdleClosed++;
        if (OwesAnswer)
        {
            Abort("idle for its idle-timeout");
        }
        else
        {
            EndAndClose("idle for its idle-timeout");
        }
    }

    private void MoveTo(RawState next)
    {
        if (!State.MayBecome(next))
        {
            throw new InvalidOperationException($"a connection cannot go from {State} to {next}");
        }

        State = next;
    }

    /// <summary>Checks from time to time whether the connection is idle: cheaper than moving a timer with every byte.</summary>
    private sealed class IdleTimer(RawConnection connection) : WheelTimer
    {
        public override void OnDue(long nowMs) => connection.OnIdleDue(nowMs);
    }

    /// <summary>Disconnects a peer that leaves many bytes unread and takes none of them, because it may hold slaves back.</summary>
    private sealed class StallTimer(RawConnection connection) : WheelTimer
    {
        /// <summary>
        /// Used when idle-timeout is off: longer than any hiccup of a network, shorter than a user's patience with an occupied slave.
        /// </summary>
        private const int DefaultStallMs = 60_000;

        private long _sent;

        public void Watch()
        {
            _sent = Sent;
            connection.Loop.Patience.Arm(this, connection.Loop.ListenedMs + StallMs);
        }

        public override void OnDue(long nowMs)
        {
            if (Sent > _sent)
            {
                Watch();
                return;
            }

            RawServer server = connection.Server;
            server.Counters.Stalled++;
            RawLog.Stalled(server.Context.Log, server.Context.Engine.Name, server.Context.Task.Name, connection.PeerName, StallMs);
            connection.Abort("the peer does not read its answers");
        }

        private long Sent => connection._written - connection.Output.PendingBytes;

        private long StallMs => connection.Server.IdleTimeoutMs > 0 ? connection.Server.IdleTimeoutMs : DefaultStallMs;
    }
}
