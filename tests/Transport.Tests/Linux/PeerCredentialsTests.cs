using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>What is known of the other end of a socket, and errors in words.</summary>
public sealed class PeerCredentialsTests
{
    [Fact]
    public void The_peer_of_a_Unix_socket_is_known_and_one_over_TCP_is_not()
    {
        using TestFolder folder = new();
        (Socket client, Socket server) = Pair(new UnixDomainSocketEndPoint(folder["socket"]));
        using (client)
        using (server)
        {
            Assert.True(PeerCredentials.TryRead((int)server.Handle, out int process, out uint user));
            Assert.Equal((Environment.ProcessId, PeerCredentials.OwnUser), (process, user));
            Assert.Equal("a local peer", SocketNames.Peer((int)server.Handle));
            Assert.Null(SocketNames.Remote((int)server.Handle));
        }

        (client, server) = Pair(new IPEndPoint(IPAddress.Loopback, 0));
        using (client)
        using (server)
        {
            Assert.False(PeerCredentials.TryRead((int)server.Handle, out _, out _));
            Assert.Equal($"{client.LocalEndPoint}", SocketNames.Peer((int)server.Handle));
        }

        Assert.False(PeerCredentials.TryRead(-1, out _, out _));
        Assert.Equal("a gone peer", SocketNames.Peer(-1));
    }

    [Fact]
    public void An_address_of_version_4_is_one_also_on_a_socket_of_version_6()
    {
        using Socket listener = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        listener.Listen();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port);
        using Socket server = listener.Accept();
        Assert.Equal(IPAddress.Loopback, SocketNames.Remote((int)server.Handle));
        Assert.Equal(IPAddress.Loopback, SocketNames.LocalTcp((int)server.Handle));
    }

    [Theory]
    [InlineData(LibC.EROFS, "Read-only file system (EROFS)")]
    [InlineData(131, "State not recoverable (errno 131)")]
    public void Errors_have_words_and_a_name_or_their_number(int error, string words) => Assert.Equal(words, Errno.Describe(error));

    private static (Socket Client, Socket Server) Pair(EndPoint address)
    {
        using Socket listener = new(address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        listener.Bind(address);
        listener.Listen();
        Socket client = new(address.AddressFamily, SocketType.Stream, listener.ProtocolType);
        client.Connect(listener.LocalEndPoint!);
        return (client, listener.Accept());
    }
}
