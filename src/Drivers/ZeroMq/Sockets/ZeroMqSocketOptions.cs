namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The settings of a socket.</summary>
/// <param name="Endpoints">The endpoints that the socket listens on, or connects to.</param>
/// <param name="HighWaterMark">Messages that may wait for each peer.</param>
internal sealed record ZeroMqSocketOptions(IReadOnlyList<string> Endpoints, int HighWaterMark)
{
    /// <summary>The socket connects to its endpoints, and does not listen on them.</summary>
    public bool Connects { get; init; }

    /// <summary>How long unsent messages are kept when the socket closes.</summary>
    public int LingerMs { get; init; }

    /// <summary>The prefixes that a SUB socket subscribes to.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];
}
