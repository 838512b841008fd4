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

/// <summary>The changes of state of a raw connection.</summary>
internal static class RawMoves
{
    /// <summary>A connection in this state may go to the next one.</summary>
    public static bool MayBecome(this RawState state, RawState next) => (state, next) switch
    {
        (RawState.Taking, RawState.Finishing) => true,
        (RawState.Finishing, RawState.Lingering) => true,
        (not RawState.Closed, RawState.Closed) => true,
        _ => false,
    };
}
