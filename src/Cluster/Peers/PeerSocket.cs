using System.Net.Sockets;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>A connected socket to another node, or from one, with its TLS. The taker owns the descriptor and the session.</summary>
/// <param name="Descriptor">The socket.</param>
/// <param name="Session">The session, after its handshake; null without TLS.</param>
/// <param name="First">Bytes that came behind the handshake.</param>
/// <param name="Peer">The certificate of the node that has called; null at that node, and without TLS.</param>
internal readonly record struct PeerSocket(
    int Descriptor, TlsSession? Session = null, ReadOnlyMemory<byte> First = default, TlsPeer? Peer = null)
{
    /// <summary>
    /// The bytes that tie a hello to its session: both nodes prove the cluster's secret over them, so nobody between the two can pass a
    /// proof on. Empty without TLS.
    /// </summary>
    public byte[] Binding() => Session?.Binding("EXPORTER-cocaine-fast-peer-1"u8) ?? [];

    /// <summary>Gives the session to the connection that was made with the descriptor; before it is opened.</summary>
    public void Secure(SocketConnection connection)
    {
        if (Session is not null)
        {
            connection.Secure(Session, First.Span, Peer);
        }
    }

    /// <summary>Nobody has taken it.</summary>
    public void Close()
    {
        new SafeSocketHandle(Descriptor, ownsHandle: true).Dispose();
        Session?.Dispose();
    }
}
