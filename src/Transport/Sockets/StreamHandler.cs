using System.Buffers;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>A connection as its parts and its kinds see it: its descriptor, and the things that happen to it.</summary>
internal abstract class StreamHandler(EventLoop loop, int descriptor) : LoopHandler
{
    public EventLoop Loop { get; } = loop;

    /// <summary>The descriptor, to hand over others; -1 when closed.</summary>
    public int Descriptor { get; protected set; } = descriptor;

    public bool IsOpen => Descriptor >= 0;

    /// <summary>True between <see cref="SocketConnection.PauseReading"/> and <see cref="SocketConnection.ResumeReading"/>.</summary>
    public bool IsReadingPaused { get; protected set; }

    /// <summary>The bytes on the wire are TLS.</summary>
    public bool IsSecured { get; protected set; }

    /// <summary>The client's certificate, which was verified; null when the connection has none.</summary>
    public TlsPeer? Certified { get; protected set; }

    /// <summary>Received bytes that cannot be seen yet, because they are less than a TLS record.</summary>
    internal virtual int HiddenBytes => 0;

    /// <summary>
    /// The peer is not a part of the node: its unfinished messages are bounded by <see cref="PartialMessages"/>. False for a connection to
    /// a server, and for one to a worker.
    /// </summary>
    internal virtual bool IsOfStranger => false;

    /// <summary>Something is under way: the peer's silence does not make the connection idle for <see cref="IdleWatch"/>.</summary>
    internal virtual bool IsBusy => false;

    /// <summary>The peer has to send more before it gets an answer, although the last message was whole.</summary>
    internal virtual bool AwaitsMore => false;

    /// <summary>Closes the socket at once; bytes not sent are dropped. Calls <see cref="OnClosed"/> once.</summary>
    public abstract void Close(string reason);

    /// <summary>
    /// Closes the socket like <see cref="Close"/>. When all is sent, the peer can tell this end from a cut: over TLS it gets a close
    /// notice.
    /// </summary>
    public abstract void EndAndClose(string reason);

    /// <summary>The loop does not keep the beginning of the peer's message any longer. The connection drops it, or closes.</summary>
    internal virtual void OnPartialRefused(PartialFault fault) => Close(PartialProblem.Of(fault));

    /// <summary>The connection was idle for the time of its <see cref="IdleWatch"/>.</summary>
    internal virtual void OnIdle() => EndAndClose("the connection was idle");

    /// <summary>
    /// Takes whole messages off the front of <paramref name="buffer"/> and returns the number of their bytes. May close the connection.
    /// </summary>
    protected abstract long OnReceived(in ReadOnlySequence<byte> buffer);

    /// <summary>The connection has ended, for any reason.</summary>
    protected abstract void OnClosed(string reason);

    /// <summary>The kernel has taken all written bytes.</summary>
    protected virtual void OnSent()
    {
    }

    /// <summary>The sender's way to <see cref="OnSent"/>.</summary>
    internal void TellSent() => OnSent();

    /// <summary>The peer has read what it was sent, as <see cref="SocketConnection.AskForRead"/> has asked.</summary>
    internal virtual void OnRead()
    {
    }

    /// <summary>
    /// The peer has closed its side. All its bytes were received, and given to <see cref="OnReceived"/> unless reading is paused. True
    /// keeps the connection open for the bytes that are still to be sent; the connection closes when the peer goes away completely.
    /// </summary>
    protected virtual bool OnPeerEnded() => false;
}
