namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The state of a raw connection.</summary>
internal enum RawState
{
    /// <summary>The connection takes requests and gives answers.</summary>
    Taking,

    /// <summary>The connection takes no more requests, and still sends the answers that it owes.</summary>
    Finishing,

    /// <summary>Everything was sent and the node's side is closed. Further bytes of the peer are dropped until it has ended too.</summary>
    Lingering,

    /// <summary>The connection is gone.</summary>
    Closed,
}
