using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The received bytes of a connection that it has not taken yet. The pipe is the loop's, and the connection holds it only while it has
/// bytes.
/// </summary>
internal sealed class InputPipe(SocketConnection connection) : PartialInput
{
    /// <summary>The pipe, while bytes wait or come.</summary>
    public Pipe? Pipe { get; private set; }

    /// <summary>Bytes that were received and not taken.</summary>
    public long UnreadBytes { get; set; }

    public Pipe Open() => Pipe ??= connection.Loop.Buffers.RentPipe();

    /// <summary>The connection has looked at its bytes: the pipe goes back when none are left, and the rest is counted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Settle()
    {
        if (UnreadBytes > 0 || HeldBytes > 0)
        {
            Count();
        }

        ReturnIfEmpty();
    }

    public void ReturnIfEmpty()
    {
        if (UnreadBytes == 0 && Pipe is { } pipe && !connection.IsReadingPaused)
        {
            Pipe = null;
            connection.Loop.Buffers.ReturnPipe(pipe);
        }
    }

    /// <summary>Drops all bytes.</summary>
    public void Drop()
    {
        if (Pipe is { } pipe)
        {
            Pipe = null;
            UnreadBytes = 0;
            connection.Loop.Partials.Release(this);
            pipe.Writer.Complete();
            pipe.Reader.Complete();
            pipe.Reset();
            connection.Loop.Buffers.ReturnPipe(pipe);
        }
    }

    /// <summary>The connection does not read for now.</summary>
    public void Excuse() => connection.Loop.Partials.Excuse(this);

    public override void OnRefused(PartialFault fault) => connection.OnPartialRefused(fault);

    /// <summary>Not on the path of messages that come whole.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Count()
    {
        if (connection.IsOfStranger)
        {
            connection.Loop.Partials.Hold(this, UnreadBytes, isRead: !connection.IsReadingPaused);
        }
        else if (HeldBytes > 0)
        {
            connection.Loop.Partials.Release(this); // the peer was a stranger until this message
        }
    }
}
