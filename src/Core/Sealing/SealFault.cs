using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The result of looking at something sealed.</summary>
internal enum SealFault : byte
{
    /// <summary>All is well.</summary>
    None,

    /// <summary>The node has no session of this number: it was never there, is too old, or was given up for another one.</summary>
    UnknownSession,

    /// <summary>The opening or record was used before, or its time has passed.</summary>
    Replayed,

    /// <summary>Every failure of cryptography or form; the sender learns no more, because the sender may be an attacker.</summary>
    CannotOpen,

    /// <summary>The node has too much to open already, or cannot remember one opening more.</summary>
    Full,

    /// <summary>The identity opens sessions faster than it may.</summary>
    TooOften,

    /// <summary>The door takes sealed requests only, and this one is not sealed.</summary>
    NotSealed,

    /// <summary>The door takes no sealed requests.</summary>
    NotTaken,

    /// <summary>The request ended before the record that says so.</summary>
    Cut,
}

/// <summary>Codes and texts of <see cref="SealFault"/> for the peer.</summary>
internal static class SealFaults
{
    /// <summary>A code of <see cref="ErrorCodes"/>.</summary>
    public static int CodeOf(SealFault fault) => fault switch
    {
        SealFault.Full or SealFault.TooOften => ErrorCodes.ResourceError,
        SealFault.NotTaken => ErrorCodes.BadRequest,
        _ => ErrorCodes.Unauthenticated,
    };

    /// <summary>The text for the peer, which never says which part of an opening or record was wrong.</summary>
    public static string TextOf(SealFault fault) => fault switch
    {
        SealFault.UnknownSession => "seal: unknown session, open it again",
        SealFault.Replayed => "seal: replayed or too old",
        SealFault.Full => "seal: the node has too many sessions to open, try again",
        SealFault.TooOften => "seal: too many sessions opened, use the open ones or try again later",
        SealFault.NotSealed => "this door wants to know who calls: a sealed request",
        SealFault.NotTaken => "seal: this door takes no sealed requests",
        SealFault.Cut => "seal: the request was cut",
        _ => "seal: cannot be opened",
    };

    /// <summary>The reason as the audit has it.</summary>
    public static string CauseOf(SealFault fault) => fault switch
    {
        SealFault.UnknownSession => "reason=seal-session",
        SealFault.Replayed => "reason=seal-replayed",
        SealFault.Full or SealFault.TooOften => "reason=seal-rate",
        SealFault.NotSealed => "reason=not-sealed",
        SealFault.NotTaken => "reason=seal-not-taken",
        SealFault.Cut => "reason=seal-cut",
        _ => "reason=seal-broken",
    };

    /// <summary>Seconds after which the peer may try again; 0 = at any time, or never.</summary>
    public static int RetryAfterS(SealFault fault) => fault is SealFault.Full or SealFault.TooOften ? 1 : 0;
}
