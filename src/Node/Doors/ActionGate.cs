using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Peers;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Node.Doors;

/// <summary>
/// Decides for one connection to a door of the node itself which questions are answered and which commands are carried out. Lives on the
/// connection's loop.
/// </summary>
/// <param name="keeper">The node's rules.</param>
/// <param name="connection">The connection.</param>
/// <param name="door">The name of the door, for the audit.</param>
internal sealed class ActionGate(Doorkeeper keeper, SocketConnection connection, string door)
{
    private readonly DoorCaller _caller = new(keeper, connection);
    private ActionRights? _rights; // by the rules of _caller

    /// <summary>The connection may do everything, whatever the rules are: it is of root or the node's own user.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>Without rules nobody may do anything here; otherwise a node without rules lets everybody do everything.</summary>
    public bool NeedsRules { get; init; }

    /// <summary>The rights of the caller by the rules of now.</summary>
    public ActionRights Rights
    {
        get
        {
            if (_rights is null || _caller.IsOutdated)
            {
                _caller.Look();
                Caller caller = _caller.Caller;
                AuditEntry entry = _caller.EntryOf(in caller, door, "", "");
                entry = IsTrusted ? entry with { Caller = entry.Peer, Means = "user" } : entry;
                _rights = new ActionRights(keeper, _caller.Rules, caller, _caller.Proof, IsTrusted, entry) { NeedsRules = NeedsRules };
            }

            return _rights;
        }
    }

    /// <summary>The connection begins. False when its caller has too many connections.</summary>
    public bool TryBegin(out DoorRefusal refusal)
    {
        bool enters = _caller.TryBegin(out refusal);
        if (!enters)
        {
            Rights.Deny("connect", "", in refusal);
        }

        return enters;
    }

    /// <summary>The connection has ended.</summary>
    public void End() => _caller.End();

    /// <summary>Other rules hold. False when the connection had an identity and has none any more: then it must close.</summary>
    public bool TryStay()
    {
        _rights = null;
        return _caller.TryStay(door);
    }

    /// <summary>The caller may know that the app is here. Nothing is recorded.</summary>
    public bool MaySee(string app)
    {
        bool isOn = Rights.IsOn;
        Caller caller = _caller.Caller;
        return !isOn || _caller.Rules.MayLocate(in caller, app);
    }

    /// <summary>The caller may learn the addresses of the app. A refusal is recorded.</summary>
    /// <param name="app">The app.</param>
    /// <param name="headers">The headers of the question.</param>
    /// <param name="refusal">The answer about a token that is refused; nothing when no rule gives the right.</param>
    public bool MayLocate(string app, HeaderSet headers, out DoorRefusal refusal)
    {
        refusal = default;
        ActionRights rights = Rights;
        Caller caller = _caller.Caller;
        if (!rights.IsOn || ((!headers.HasSecrets || _caller.TryToken(headers, takesOthers: false, ref caller, out refusal))
            && _caller.Rules.MayLocate(in caller, app)))
        {
            return true;
        }

        DoorRefusal recorded = refusal.Code != 0 ? refusal : DoorRefusal.Action(in caller, _caller.Proof, "locate", app);
        _caller.Deny(in caller, door, "locate", app, "", in recorded);
        return false;
    }
}
