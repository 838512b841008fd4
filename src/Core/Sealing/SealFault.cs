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

    /// <summary>
    /// The opening was made before the node's start, by the caller's clock. The seconds by which it was are added to this value: see
    /// <see cref="SealFaults.BeforeStart"/>.
    /// </summary>
    BeforeStart = 100,
}

/// <summary>Codes and texts of <see cref="SealFault"/> for the peer.</summary>
internal static class SealFaults
{
    /// <summary>The largest value of the header <c>retry-after</c>, as docs/protocol.md has it.</summary>
    private const int MostRetryAfterS = 60;

    /// <summary>The most seconds before the start that an opening can be made whose time has not passed.</summary>
    private const long MostBeforeStartS = SealLimits.MaxOpeningAgeS + SealLimits.SkewS;

    /// <summary>The fault of an opening that was made so many seconds before the node's start, 1 or more.</summary>
    public static SealFault BeforeStart(long seconds) => SealFault.BeforeStart + (byte)Math.Min(seconds, MostBeforeStartS);

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
        > SealFault.BeforeStart => $"seal: made {SecondsOf(fault)} s before this node's start by the caller's clock: try again in "
            + $"{SecondsOf(fault)} s, or set the clock",
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
        > SealFault.BeforeStart => "reason=seal-before-start",
        _ => "reason=seal-broken",
    };

    /// <summary>Seconds after which the peer may try again; 0 = at any time, or never.</summary>
    public static int RetryAfterS(SealFault fault) => fault switch
    {
        SealFault.Full or SealFault.TooOften => 1,
        > SealFault.BeforeStart => Math.Min(SecondsOf(fault), MostRetryAfterS),
        _ => 0,
    };

    private static int SecondsOf(SealFault beforeStart) => (int)beforeStart - (int)SealFault.BeforeStart;
}
