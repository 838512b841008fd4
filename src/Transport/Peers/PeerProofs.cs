using System.Net;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Transport.Peers;

/// <summary>Collects the facts that may prove who the peer of a connection is.</summary>
internal static class PeerProofs
{
    /// <summary>The facts about the peer of a connection that is open.</summary>
    public static PeerProof Of(SocketConnection connection)
    {
        if (SocketNames.Remote(connection.Descriptor) is { } address)
        {
            CallerPlace place = IPAddress.IsLoopback(address) ? CallerPlace.Loopback : CallerPlace.Network;
            return new PeerProof(place, Certificate: connection.Certified?.Certificate, IsEncrypted: connection.IsSecured);
        }

        // A TCP peer that is gone already has no address, and no user either: then it is a stranger.
        return PeerCredentials.TryRead(connection.Descriptor, out _, out uint user)
            ? new PeerProof(CallerPlace.Local, user) : new PeerProof(CallerPlace.Network);
    }
}
