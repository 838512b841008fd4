using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Transport.Peers;

/// <summary>
/// The caller behind a connection by the node's rules, which may change: a door asks for <see cref="IsOutdated"/> before it uses the rest.
/// Lives on the connection's loop.
/// </summary>
/// <param name="keeper">The node's rules.</param>
/// <param name="connection">The connection.</param>
internal sealed class DoorCaller(Doorkeeper keeper, SocketConnection connection)
{
    private PeerProof? _proof;   // set when it is first needed: a node without rules never needs it
    private Identity? _had;      // the identity that the connection had by the rules that a change has told of
    private Identity? _entered;  // the connection counts for this identity

    /// <summary>The rules that the caller was looked up by.</summary>
    public SecurityRules Rules { get; private set; } = SecurityRules.Off;

    /// <summary>The caller that the connection itself proves, by <see cref="Rules"/>.</summary>
    public Caller Caller { get; private set; }

    /// <summary>Other rules hold by now.</summary>
    public bool IsOutdated => keeper.Rules != Rules;

    /// <summary>The facts about the peer.</summary>
    public PeerProof Proof => _proof ??= PeerProofs.Of(connection);

    /// <summary>Looks up the caller by the rules of now.</summary>
    public void Look()
    {
        Rules = keeper.Rules;
        Caller = Proof.CallerIn(Rules);
        _had ??= Caller.Identity;
    }

    /// <summary>The connection begins. False when its caller has too many connections already.</summary>
    public bool TryBegin(out DoorRefusal refusal)
    {
        refusal = default;
        if (keeper.Rules.IsOn)
        {
            Look();
        }

        if (Caller.Identity is not { } identity || keeper.TryEnter(identity))
        {
            _entered = Caller.Identity;
            return true;
        }

        refusal = DoorRefusal.TooManyConnections(identity);
        return false;
    }

    /// <summary>The connection has ended.</summary>
    public void End()
    {
        if (_entered is { } identity)
        {
            _entered = null;
            keeper.Leave(identity);
        }
    }

    /// <summary>
    /// Looks up the caller by the rules of now. False when the connection had an identity and has none any more: then it must close.
    /// </summary>
    /// <param name="door">The door, for the audit.</param>
    public bool TryStay(string door)
    {
        Look();
        if (!Rules.IsOn || _had is not { } had || Caller.Identity == had)
        {
            return true;
        }

        if (Caller.Identity is null)
        {
            Caller before = Caller with { Identity = had };
            AuditEntry entry = Entry(in before, Proof.MeansOf(in before), door, "connect", AuditEntry.RulesChanged);
            keeper.Audit.Close(in entry);
            return false;
        }

        if (Caller.Identity.Name != had.Name)
        {
            End();
            _entered = keeper.TryEnter(Caller.Identity) ? Caller.Identity : null; // a bound of now does not end what was begun before
        }

        _had = Caller.Identity;
        return true;
    }

    /// <summary>
    /// The caller with the token of its headers, which the node takes out. True without a token, and for the unknown token of a task that
    /// has tokens of its own.
    /// </summary>
    /// <param name="headers">The headers of the call.</param>
    /// <param name="takesOthers">Unknown tokens are left to the workers.</param>
    /// <param name="caller">The caller of the connection; afterwards that of the call.</param>
    /// <param name="refusal">The answer when the token is refused.</param>
    public bool TryToken(HeaderSet headers, bool takesOthers, ref Caller caller, out DoorRefusal refusal)
    {
        refusal = default;
        ReadOnlySpan<byte> token = BearerToken.Of(headers.Secret("authorization"u8));
        if (token.IsEmpty)
        {
            return true;
        }

        Identity? known = Rules.OfToken(token);
        if (known is null)
        {
            refusal = takesOthers ? default : DoorRefusal.UnknownToken;
            return takesOthers;
        }

        headers.DropSecrets();
        refusal = !Proof.TakesTokens ? DoorRefusal.TokenInClear
            : caller.Identity is { } own && own != known ? DoorRefusal.TwoIdentities : default;
        caller = refusal.Code == 0 ? caller with { Identity = known } : caller;
        return refusal.Code == 0;
    }

    /// <summary>Records that the caller was refused.</summary>
    public void Deny(
        in Caller caller, string door, string action, string app, string name, in DoorRefusal refusal, string? means = null)
    {
        AuditEntry entry = EntryOf(in caller, door, action, refusal.Cause) with { App = app, Event = name };
        entry = means is null ? entry : entry with { Means = means };
        keeper.Audit.Deny(in entry);
    }

    /// <summary>The caller at a door, for the audit.</summary>
    public AuditEntry EntryOf(in Caller caller, string door, string action, string cause)
    {
        string means = caller.Identity != Caller.Identity ? "token" : Proof.MeansOf(in caller);
        return Entry(in caller, means, door, action, cause);
    }

    private AuditEntry Entry(in Caller caller, string means, string door, string action, string cause) => new(
        caller.Name, means, Proof.User is { } user ? $"user:{user}" : connection.PeerName, door, action, cause)
    {
        Serial = Proof.Certificate?.SerialHex ?? "",
    };
}
