using System.Buffers;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The handshake of a client over a connected socket, before a loop watches the socket.</summary>
internal static class ClientHandshake
{
    /// <summary>The most bytes of a server's handshake: its certificates and some frames.</summary>
    private const int MaxBytes = 128 << 10;

    /// <summary>The most bytes of a receive.</summary>
    private const int ReceiveBytes = 16 << 10;

    /// <summary>Makes the handshake, off the loop. The caller bounds its time by <paramref name="stop"/>.</summary>
    /// <param name="loop">Watches the socket while the peer's bytes are waited for.</param>
    /// <param name="socket">Connected; it is non-blocking from now on.</param>
    /// <param name="session">A session of the client's side.</param>
    /// <param name="stop">Ends the handshake.</param>
    /// <returns>Bytes that came behind the handshake, at most 16 KiB: the first ones of the session.</returns>
    /// <exception cref="TlsException">The server is not the one that was meant, refuses this client, or does not speak TLS.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The time is over.</exception>
    public static async Task<byte[]> RunAsync(EventLoop loop, Socket socket, TlsSession session, CancellationToken stop)
    {
        socket.Blocking = false;
        ArrayBufferWriter<byte> answer = new();
        byte[] buffer = new byte[ReceiveBytes];
        int received = 0;
        for (int all = 0; all <= MaxBytes; all += received)
        {
            TlsResult result = session.Handshake(buffer.AsSpan(0, received), answer, out int taken);
            await SendAsync(loop, socket, answer.WrittenMemory, stop).ConfigureAwait(false);
            answer.ResetWrittenCount();
            if (result == TlsResult.Ok)
            {
                return buffer[taken..received];
            }

            if (result != TlsResult.NeedMore)
            {
                throw new TlsException(TlsPart.Peer, null, Describe(result == TlsResult.Closed ? "the server ended it" : session.Problem));
            }

            received = await ReceiveAsync(loop, socket, buffer, stop).ConfigureAwait(false);
            if (received == 0)
            {
                throw new TlsException(TlsPart.Peer, null, Describe("the server closed the connection; does it speak TLS there?"));
            }
        }

        throw new TlsException(TlsPart.Peer, null, Describe("the server sends too many bytes"));
    }

    private static string Describe(string problem) => "the TLS handshake failed: " + problem
        + (problem.Contains("wrong version", StringComparison.Ordinal) ? "; does the server speak TLS 1.3 there?" : "");

    private static async Task SendAsync(EventLoop loop, Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
        {
            int sent = socket.Send(bytes.Span, SocketFlags.None, out SocketError error);
            bytes = bytes[sent..];
            await GoOnAsync(loop, socket, error, Epoll.Out, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Receives at least a byte; 0 at the end.</summary>
    private static async Task<int> ReceiveAsync(EventLoop loop, Socket socket, byte[] buffer, CancellationToken stop)
    {
        while (true)
        {
            int received = socket.Receive(buffer, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
            {
                return received;
            }

            await GoOnAsync(loop, socket, error, Epoll.In | Epoll.PeerClosed, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Waits when the socket has to be waited for; a call that worked goes on at once.</summary>
    private static Task GoOnAsync(EventLoop loop, Socket socket, SocketError error, uint events, CancellationToken stop) => error switch
    {
        SocketError.Success => Task.CompletedTask,
        SocketError.WouldBlock => Readiness.WaitAsync(loop, (int)socket.Handle, events, stop),
        _ => throw new SocketException((int)error),
    };
}
