using System.Buffers;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Host.Commands.Tunnels;

/// <summary>The state of the bytes from one end of a tunnel to the other.</summary>
internal enum WayState
{
    /// <summary>The peer of this end may send more.</summary>
    Passing,

    /// <summary>The peer has ended its side, and bytes of it wait for the other end's socket.</summary>
    Ending,

    /// <summary>The other end's peer was told the end.</summary>
    Ended,
}

/// <summary>
/// One of the two connections of a tunnel; on its loop. Bytes that came here are written to the other end. The end of one direction leaves
/// the other direction open, and everything else ends both: a peer must not take a cut for a regular end.
/// </summary>
internal sealed class TunnelEnd : SocketConnection
{
    /// <summary>Bytes that wait for the socket of a peer that takes none; then the other peer waits too.</summary>
    private const long HighBytes = FlowControl.HighBytes;

    /// <summary>The same for a socket that was not offered them yet, and will perhaps take all at the end of the turn.</summary>
    private const long HighUnofferedBytes = 2 * HighBytes;

    /// <summary>A peer that takes no byte for so long is gone or stuck; the node has the same bound.</summary>
    private const int StallMs = 60_000;

    private readonly Action<TunnelEnd, string> _closed;
    private readonly StallTimer _stall;
    private TunnelEnd _other = null!;   // valid from Join on
    private WayState _way;              // of the bytes that come from here
    private long _sentAtLook;           // bytes that the other end had sent when the stall timer was armed; valid while it is armed

    private TunnelEnd(EventLoop loop, int descriptor, Action<TunnelEnd, string> closed)
        : base(loop, descriptor)
    {
        _closed = closed;
        _stall = new StallTimer(this);
    }

    /// <summary>Bytes of this end's peer that the other peer's socket has taken.</summary>
    public long PassedBytes => _other.Output.SentBytes;

    /// <summary>Bytes of the other peer that this end's socket has taken.</summary>
    public long CameBackBytes => Output.SentBytes;

    /// <summary>Both directions have ended as they should.</summary>
    public bool IsDone => _way == WayState.Ended && _other._way == WayState.Ended;

    /// <summary>Makes the two ends of a tunnel; the caller opens both.</summary>
    /// <param name="loop">The loop of both.</param>
    /// <param name="near">The descriptor of the accepted connection.</param>
    /// <param name="far">The descriptor of the connection to the server.</param>
    /// <param name="closed">Called once, with the near end, when the first of the two closes.</param>
    public static (TunnelEnd Near, TunnelEnd Far) Join(EventLoop loop, int near, int far, Action<TunnelEnd, string> closed)
    {
        TunnelEnd one = new(loop, near, closed), two = new(loop, far, (end, reason) => closed(end._other, reason));
        (one._other, two._other) = (two, one);
        return (one, two);
    }

    /// <inheritdoc/>
    protected override long OnReceived(in ReadOnlySequence<byte> buffer)
    {
        if (!_other.IsOpen)
        {
            return buffer.Length;
        }

        foreach (ReadOnlyMemory<byte> part in buffer)
        {
            _other.Output.Write(part.Span);
        }

        _other.ScheduleSend();
        if (!IsReadingPaused && _other.Output.PendingBytes > (_other.IsSendBlocked ? HighBytes : HighUnofferedBytes))
        {
            PauseReading();
            Look();
        }

        return buffer.Length;
    }

    /// <inheritdoc/>
    protected override bool OnPeerEnded()
    {
        MoveTo(WayState.Ending);
        if (_other.Output.PendingBytes == 0 && !_other.IsSendBlocked)
        {
            EndWay();
        }
        else
        {
            Look();
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void OnSent() => _other.OnTaken();

    /// <inheritdoc/>
    protected override void OnClosed(string reason)
    {
        Loop.Patience.Cancel(_stall);
        if (_other.IsOpen)
        {
            if (!IsDone)
            {
                SocketEnds.ResetOnClose(_other.Descriptor);
            }

            _closed(this, reason);
            _other.Close(reason);
        }
    }

    /// <summary>The other end's socket has taken all bytes that came from here.</summary>
    private void OnTaken()
    {
        Loop.Patience.Cancel(_stall);
        if (_way == WayState.Ending)
        {
            EndWay();
        }
        else
        {
            ResumeReading();
        }
    }

    private void EndWay()
    {
        MoveTo(WayState.Ended);
        _other.EndOutput();
        if (IsDone)
        {
            Close("both sides have ended");
        }
    }

    /// <summary>The one place where the state changes: it only goes on.</summary>
    private void MoveTo(WayState next)
    {
        if (next != _way + 1)
        {
            throw new InvalidOperationException($"a direction of a tunnel does not go from {_way} to {next}");
        }

        _way = next;
    }

    private void Look()
    {
        _sentAtLook = _other.Output.SentBytes;
        Loop.Patience.Cancel(_stall);
        Loop.Patience.Arm(_stall, Loop.ListenedMs + StallMs);
    }

    /// <summary>Bytes wait for the other peer: closes both ends when it takes none.</summary>
    private sealed class StallTimer(TunnelEnd end) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            if (end._other.Output.SentBytes > end._sentAtLook)
            {
                end.Look();
            }
            else
            {
                end.Close($"a peer took no byte for {StallMs / 1000} s");
            }
        }
    }
}
