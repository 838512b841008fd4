using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The settings of a socket.</summary>
/// <param name="Make">Makes the NetMQ socket.</param>
/// <param name="Endpoints">The endpoints that the socket listens on, or connects to.</param>
/// <param name="Connects">The socket connects to its endpoints, and does not listen on them.</param>
/// <param name="HighWaterMark">Messages that may wait for each peer, in each direction.</param>
/// <param name="LingerMs">How long unsent messages are kept when the socket closes.</param>
internal sealed record ZeroMqSocketOptions(
    Func<NetMQSocket> Make, IReadOnlyList<string> Endpoints, bool Connects, int HighWaterMark, int LingerMs);
