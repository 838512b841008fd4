using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Client;

/// <summary>A connection that was made: the next owner of its parts is the <see cref="SocketConnection"/> that is opened on it.</summary>
/// <param name="Descriptor">The connected socket, non-blocking; it belongs to nobody else.</param>
/// <param name="Session">The session over it, after its handshake; null without TLS.</param>
/// <param name="First">Bytes that came behind the handshake.</param>
internal readonly record struct ServerSocket(int Descriptor, TlsSession? Session, byte[] First)
{
    /// <summary>Opens the connection, which was made with <see cref="Descriptor"/>; on its loop.</summary>
    public void Open(SocketConnection connection)
    {
        if (Session is not null)
        {
            connection.Secure(Session, First);
        }

        connection.Open();
    }
}
