using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>How a socket is made.</summary>
/// <param name="Make">Makes the NetMQ socket.</param>
/// <param name="Endpoints">The endpoints that it listens on, or connects to.</param>
/// <param name="Connects">It connects.</param>
/// <param name="HighWaterMark">Messages that may wait for each peer, each way.</param>
/// <param name="LingerMs">How long unsent messages are kept when it is closed.</param>
internal sealed record ZeroMqSocketOptions(
    Func<NetMQSocket> Make, IReadOnlyList<string> Endpoints, bool Connects, int HighWaterMark, int LingerMs);
