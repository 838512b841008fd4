namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>How far the session with a peer is: the part that is taken next.</summary>
internal enum WirePhase
{
    /// <summary>The ten bytes that begin a greeting, or the first frame of a peer of ZMTP 1.0.</summary>
    Signature,

    /// <summary>The major version.</summary>
    Version,

    /// <summary>ZMTP 3: the rest of the greeting.</summary>
    Greeting,

    /// <summary>ZMTP 3: the command READY.</summary>
    Ready,

    /// <summary>ZMTP 2.0: the type of the peer's socket.</summary>
    OldType,

    /// <summary>ZMTP 1.0 and 2.0: the peer's identity.</summary>
    OldIdentity,

    /// <summary>Messages and commands, until the end.</summary>
    Messages,

    /// <summary>The peer was refused: nothing more is taken.</summary>
    Ended,
}

/// <summary>The order of the phases.</summary>
internal static class WirePhases
{
    /// <summary>The only transitions that exist.</summary>
    public static bool MayBecome(this WirePhase from, WirePhase to) => to == WirePhase.Ended || from switch
    {
        WirePhase.Signature => to is WirePhase.Version or WirePhase.OldIdentity,
        WirePhase.Version => to is WirePhase.Greeting or WirePhase.OldType,
        WirePhase.Greeting => to is WirePhase.Ready,
        WirePhase.OldType => to is WirePhase.OldIdentity,
        WirePhase.Ready or WirePhase.OldIdentity => to is WirePhase.Messages,
        _ => false,
    };
}
