using System.Buffers;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// One long message over TLS, encrypted where it lies. The turn's end sends the cipher text; as much as may wait at once goes earlier, so
/// that a very long message is not copied, and does not pass for one that its reader leaves.
/// </summary>
/// <param name="tls">The connection's TLS.</param>
/// <param name="connection">The connection, without a send under way.</param>
internal ref struct LongRecords(TlsLayer tls, SocketConnection connection)
{
    /// <summary>The socket is full.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>
    /// Encrypts a message behind the written bytes. A failure shows itself in the next send: the caller is in the middle of its work.
    /// </summary>
    /// <returns>The bytes of the message that are encrypted: the caller writes the others.</returns>
    public long Send(
        PipeSink output, scoped ReadOnlySpan<byte> prefix, scoped ReadOnlySpan<byte> payload, scoped ReadOnlySpan<byte> suffix)
    {
        while (tls.Encrypt(output) && output.PendingBytes > 0)
        {
            if (!TrySend())
            {
                return 0;
            }
        }

        long taken = Encrypt(prefix);
        taken += taken == prefix.Length ? Encrypt(payload) : 0;
        taken += taken == prefix.Length + payload.Length ? Encrypt(suffix) : 0;
        output.CountSent(taken);
        return taken;
    }

    /// <summary>Encrypts until all is, or the socket is full. Returns how many bytes are.</summary>
    private long Encrypt(scoped ReadOnlySpan<byte> bytes)
    {
        long taken = tls.Encrypt(bytes);
        while (taken < bytes.Length && TrySend())
        {
            taken += tls.Encrypt(bytes[(int)taken..]);
        }

        return taken;
    }

    /// <summary>Sends the cipher text that waits. False when the socket has not taken all of it.</summary>
    private bool TrySend()
    {
        while (tls.Wire.PendingBytes > 0 && !tls.HasFailed)
        {
            connection.Loop.Counters.Sends++;
            ReadOnlySequence<byte> waiting = tls.Wire.Written();
            nint sent = SocketWrites.Send(connection.Descriptor, in waiting, out long offered);
            tls.Wire.Pipe!.Reader.AdvanceTo(waiting.GetPosition(Math.Max(sent, 0)));
            tls.Wire.Sent(Math.Max(sent, 0));
            if (sent < offered)
            {
                IsBlocked = sent >= 0 || -sent is LibC.EAGAIN or LibC.EINTR;
                return false;
            }
        }

        return !tls.HasFailed;
    }
}
