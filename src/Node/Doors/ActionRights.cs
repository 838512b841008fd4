using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Node.Doors;

/// <summary>The rights of a caller on the node, by the rules of a moment. Immutable; any thread.</summary>
/// <param name="keeper">The node's rules and audit.</param>
/// <param name="rules">The rules of the moment.</param>
/// <param name="caller">The caller.</param>
/// <param name="proof">The facts about the peer.</param>
/// <param name="isTrusted">The caller may do everything, whatever the rules are.</param>
/// <param name="entry">The caller and its door, for the audit.</param>
internal sealed class ActionRights(
    Doorkeeper keeper, SecurityRules rules, Caller caller, PeerProof proof, bool isTrusted, AuditEntry entry)
{
    private readonly Caller _caller = caller;
    private readonly AuditEntry _entry = entry;

    /// <summary>Without rules the caller may do nothing.</summary>
    public bool NeedsRules { get; init; }

    /// <summary>The rules decide about this caller.</summary>
    public bool IsOn => IsRecorded && !isTrusted;

    /// <summary>There are rules, whether they decide about this caller or not: its uses of control are recorded.</summary>
    public bool IsRecorded => rules.IsOn || NeedsRules;

    /// <summary>The caller may use some method of control.</summary>
    public bool MayEnter => isTrusted || rules.MayControlSome(in _caller);

    /// <summary>The caller may use a method of control for some app. Nothing is recorded.</summary>
    public bool MayUse(string verb) => !IsOn || rules.MayControl(in _caller, verb, app: null);

    /// <summary>The caller may use a method of control. A refusal is recorded, and so is a use while there are rules.</summary>
    /// <param name="verb">The method.</param>
    /// <param name="app">The app; null for a method that is about no single app.</param>
    /// <param name="refusal">The answer when the caller may not.</param>
    public bool MayControl(string verb, string? app, out DoorRefusal refusal)
    {
        refusal = default;
        if (!IsRecorded)
        {
            return true;
        }

        if (isTrusted || rules.MayControl(in _caller, verb, app))
        {
            AuditEntry allowed = _entry with { Action = verb, App = app ?? "", Cause = verb is "create" or "replace" ? "runs=code" : "" };
            keeper.Audit.Allow(in allowed);
            return true;
        }

        refusal = DoorRefusal.Action(in _caller, proof, verb, app);
        Deny(verb, app ?? "", in refusal);
        return false;
    }

    /// <summary>An answer about several apps may have this one. Nothing is recorded.</summary>
    /// <param name="verb">The method.</param>
    /// <param name="app">The app; empty for the node itself, which a rule for all apps has.</param>
    public bool MayList(string verb, string app) => !IsOn || rules.MayControl(in _caller, verb, app);

    /// <summary>Records that the caller's connection ends, since the rules of now let it do nothing.</summary>
    public void TellClosed()
    {
        AuditEntry closed = _entry with { Action = "connect", Cause = AuditEntry.RulesChanged };
        keeper.Audit.Close(in closed);
    }

    /// <summary>Records that the caller was refused.</summary>
    public void Deny(string action, string app, in DoorRefusal refusal)
    {
        AuditEntry denied = _entry with { Action = action, App = app, Cause = refusal.Cause };
        keeper.Audit.Deny(in denied);
    }
}
