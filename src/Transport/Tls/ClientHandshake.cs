using System.Buffers;
using System.Net.Sockets;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The handshake of a client over a connected socket, before a loop watches the socket.</summary>
internal static class ClientHandshake
{
    /// <summary>The most bytes of a server's handshake: its certificates and some frames.</summary>
    private const int MaxBytes = 128 << 10;

    /// <summary>One receive, bytes.</summary>
    private const int ReceiveBytes = 16 << 10;

    /// <summary>Makes the handshake. The caller bounds its time by <paramref name="stop"/>.</summary>
    /// <returns>Bytes that came behind the handshake, at most 16 KiB: the first ones of the session.</returns>
    /// <exception cref="TlsException">The server is not the one that was meant, refuses this client, or does not speak TLS.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The time is over.</exception>
    public static async Task<byte[]> RunAsync(Socket socket, TlsSession session, CancellationToken stop)
    {
        ArrayBufferWriter<byte> answer = new();
        byte[] buffer = new byte[ReceiveBytes];
        int received = 0;
        for (int all = 0; all <= MaxBytes; all += received)
        {
            TlsResult result = session.Handshake(buffer.AsSpan(0, received), answer, out int taken);
            await SendAsync(socket, answer.WrittenMemory, stop).ConfigureAwait(false);
            answer.ResetWrittenCount();
            if (result == TlsResult.Ok)
            {
                return buffer[taken..received];
            }

            if (result != TlsResult.NeedMore)
            {
                throw new TlsException(TlsPart.Peer, null, Describe(result == TlsResult.Closed ? "the server ended it" : session.Problem));
            }

            received = await socket.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
            if (received == 0)
            {
                throw new TlsException(TlsPart.Peer, null, Describe("the server closed the connection; does it speak TLS there?"));
            }
        }

        throw new TlsException(TlsPart.Peer, null, Describe("the server sends too many bytes"));
    }

    private static string Describe(string problem) => "the TLS handshake failed: " + problem
        + (problem.Contains("wrong version", StringComparison.Ordinal) ? "; does the server speak TLS 1.3 there?" : "");

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, stop).ConfigureAwait(false)..];
        }
    }
}
