using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Security;

/// <summary>The answer of a door to a caller that it turns away.</summary>
/// <param name="Code">401, 403 or 503.</param>
/// <param name="Text">The text for the caller.</param>
/// <param name="Cause">The reason as the audit has it: <c>rule=none</c> or <c>reason=…</c>.</param>
internal readonly record struct DoorRefusal(int Code, string Text, string Cause)
{
    private const string NoRule = "rule=none";

    /// <summary>The most letters of a caller's own words in an answer.</summary>
    private const int MaxShown = 40;

    /// <summary>The headers of the error.</summary>
    public ErrorHeaders Headers => new() { RetryAfterS = Code == ErrorCodes.ResourceError ? 1 : 0 };

    /// <summary>No rule lets the caller call the event, which may not even exist.</summary>
    public static DoorRefusal Call(in Caller caller, PeerProof proof, string name, string app) => caller.Identity is null
        ? Unknown(proof) : new DoorRefusal(ErrorCodes.Forbidden, $"{caller.Name} may not call '{Shown(name)}' of {app}", NoRule);

    /// <summary>No rule lets the caller do this with the app, or with the node when there is no app.</summary>
    public static DoorRefusal Action(in Caller caller, PeerProof proof, string action, string? app) => caller.Identity is null
        ? Unknown(proof)
        : new DoorRefusal(
            ErrorCodes.Forbidden, $"{caller.Name} may not {action}{(app is null ? " here" : $" {Shown(app)}")}", NoRule);

    /// <summary>The caller is nobody whom the rules know, and strangers may not do it.</summary>
    private static DoorRefusal Unknown(PeerProof proof) => proof.Certificate is not null
        ? new DoorRefusal(ErrorCodes.Unauthenticated, "your certificate names nobody known here", "reason=unknown-certificate")
        : new DoorRefusal(
            ErrorCodes.Unauthenticated, "this door wants to know who calls: a client certificate, a sealed request or a token", NoRule);

    /// <summary>The token is of no identity.</summary>
    public static DoorRefusal UnknownToken { get; } =
        new(ErrorCodes.Unauthenticated, "your token belongs to nobody known here", "reason=unknown-token");

    /// <summary>Others on the way can read the token.</summary>
    public static DoorRefusal TokenInClear { get; } = new(
        ErrorCodes.Unauthenticated, "a token is taken only over TLS or a Unix socket: it can be read on its way here, so make a new one",
        "reason=token-in-clear");

    /// <summary>The connection and the token are of two identities.</summary>
    public static DoorRefusal TwoIdentities { get; } =
        new(ErrorCodes.Unauthenticated, "your token and your connection are of two different callers", "reason=two-identities");

    /// <summary>The caller calls too often.</summary>
    public static DoorRefusal OverRate(Identity identity) =>
        new(ErrorCodes.ResourceError, $"{identity.Name} is over its {identity.CallsPerSecond} calls/s", "reason=rate");

    /// <summary>The caller has too many connections.</summary>
    public static DoorRefusal TooManyConnections(Identity identity) => new(
        ErrorCodes.ResourceError, $"{identity.Name} has its {identity.MaxConnections} connections already", "reason=connections");

    private static string Shown(string text) => PlainText.OneLine(text.Length <= MaxShown ? text : text[..MaxShown] + "…");
}
