using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Peers;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Decides for one connection which events its caller may call. Without rules a call costs two comparisons, with rules one bit more; the
/// caller is looked up anew only when the rules have changed. Lives on the connection's loop.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="guard">The guard of the task that the connection came to.</param>
internal sealed class CallGate(SocketConnection connection, TaskGuard guard)
{
    private readonly DoorCaller _caller = new(guard.Keeper, connection);
    private CallRights? _rights;    // of the caller on the events of the guard's task, by the rules of _caller
    private CallRate? _rate;        // of the caller, by the rules of _caller
    private SealedSender? _sender;  // of the latest sealed call

    /// <summary>The guard of the task. Changes when another version of the app takes over.</summary>
    public TaskGuard Guard
    {
        get;
        set
        {
            field = value;
            _rights = null;
        }
    } = guard;

    /// <summary>The connection begins. False when its caller has too many connections.</summary>
    public bool TryBegin(out DoorRefusal refusal)
    {
        bool enters = _caller.TryBegin(out refusal);
        if (!enters)
        {
            Deny(Guard, _caller.Caller, "connect", "", in refusal);
        }

        _rate = _caller.Rules.RateOf(_caller.Caller.Identity);
        return enters;
    }

    /// <summary>The connection has ended.</summary>
    public void End() => _caller.End();

    /// <summary>Other rules hold. False when the connection had an identity and has none any more: then it must close.</summary>
    public bool TryStay()
    {
        bool stays = _caller.TryStay(Guard.Door);
        Forget();
        return stays;
    }

    /// <summary>The caller may call the event of the task, now.</summary>
    /// <param name="at">The guard of the event's task, which may be another one than that of the connection.</param>
    /// <param name="index">The event's place in its catalog; below 0 when it has none.</param>
    /// <param name="name">The event.</param>
    /// <param name="catalog">The names of the catalog.</param>
    /// <param name="headers">The headers of the call; null for a protocol without headers.</param>
    /// <param name="refusal">The answer when the caller may not.</param>
    public bool Admits(
        TaskGuard at, int index, ReadOnlySpan<byte> name, IReadOnlyList<byte[]> catalog, HeaderSet? headers, out DoorRefusal refusal)
    {
        refusal = default;
        if (_caller.IsOutdated)
        {
            _caller.Look();
            Forget();
        }

        if (!_caller.Rules.IsOn && !at.Narrows)
        {
            return true;
        }

        Caller caller = _caller.Caller;
        CallRights rights;
        CallRate? rate = _rate;
        if (headers is { HasSecrets: true } && _caller.Rules.IsOn)
        {
            if (!_caller.TryToken(headers, at.PassesTokens, ref caller, out refusal))
            {
                Deny(at, in caller, "call", Encoding.UTF8.GetString(name), in refusal);
                return false;
            }

            rights = at.RightsOf(_caller.Rules, in caller);
            rate = _caller.Rules.RateOf(caller.Identity);
        }
        else
        {
            rights = at == Guard ? _rights ??= OwnRights() : at.RightsOf(_caller.Rules, in caller);
        }

        if (!rights.MayCall(index, name, catalog))
        {
            string shown = Encoding.UTF8.GetString(name);
            refusal = DoorRefusal.Call(in caller, _caller.Proof, shown, at.Context.Engine.Name);
            Deny(at, in caller, "call", shown, in refusal);
            return false;
        }

        if (rate is not null && !rate.TryTake(connection.Loop.NowMs * Clock.NsPerMs))
        {
            refusal = DoorRefusal.OverRate(caller.Identity!);
            Deny(at, in caller, "call", Encoding.UTF8.GetString(name), in refusal);
            return false;
        }

        return true;
    }

    /// <summary>
    /// The sender of a sealed call may call the event of the task, now. The sender counts instead of the connection's caller.
    /// </summary>
    /// <param name="at">The guard of the event's task.</param>
    /// <param name="index">The event's place in its catalog; below 0 when it has none.</param>
    /// <param name="name">The event.</param>
    /// <param name="catalog">The names of the catalog.</param>
    /// <param name="keyName">The name of the RSA key that has sealed the call.</param>
    /// <param name="refusal">The answer when the sender may not.</param>
    public bool AdmitsSealed(
        TaskGuard at, int index, ReadOnlySpan<byte> name, IReadOnlyList<byte[]> catalog, string keyName, out DoorRefusal refusal)
    {
        refusal = default;
        if (_caller.IsOutdated || (at.Narrows && _caller.Rules == SecurityRules.Off))
        {
            _caller.Look();
            Forget();
        }

        SecurityRules rules = _caller.Rules;
        if (!rules.IsOn && !at.Narrows)
        {
            return true;
        }

        if (_sender?.Is(at, rules, keyName) != true)
        {
            _sender = new SealedSender(at, rules, keyName, _caller.Caller with { Identity = rules.OfRsaKey(keyName) });
        }

        Caller caller = _sender.Caller;
        if (!_sender.Rights.MayCall(index, name, catalog))
        {
            refusal = DoorRefusal.Call(in caller, _caller.Proof, Encoding.UTF8.GetString(name), at.Context.Engine.Name);
        }
        else if (_sender.Rate is { } rate && !rate.TryTake(connection.Loop.NowMs * Clock.NsPerMs))
        {
            refusal = DoorRefusal.OverRate(caller.Identity!);
        }
        else
        {
            return true;
        }

        _caller.Deny(in caller, at.Door, "call", at.Context.Engine.Name, Encoding.UTF8.GetString(name), in refusal, means: "seal");
        return false;
    }

    /// <summary>A sealed call was refused because of its seal: the audit hears of it.</summary>
    /// <param name="cause">The reason as the audit has it.</param>
    public void DenySeal(string cause) => Deny(Guard, _caller.Caller, "unseal", "", new DoorRefusal(ErrorCodes.Unauthenticated, "", cause));

    /// <summary>
    /// The caller has some right on the task's app: then it may see the app's info, and hear that an event is not served.
    /// </summary>
    /// <param name="action">The action for the audit: <c>info</c>, or <c>call</c> for an event that is not served.</param>
    /// <param name="name">The event; empty for info.</param>
    /// <param name="headers">The headers of the request.</param>
    /// <param name="refusal">The answer when the caller may not.</param>
    public bool MaySee(string action, ReadOnlySpan<byte> name, HeaderSet headers, out DoorRefusal refusal)
    {
        refusal = default;
        if (_caller.IsOutdated)
        {
            _caller.Look();
            Forget();
        }

        string app = Guard.Context.Engine.Name;
        SecurityRules rules = _caller.Rules;
        Caller caller = _caller.Caller;
        if (!rules.IsOn || ((!headers.HasSecrets || _caller.TryToken(headers, Guard.PassesTokens, ref caller, out refusal))
            && rules.MayCallSome(in caller, app)))
        {
            return true;
        }

        string shown = Encoding.UTF8.GetString(name);
        refusal = refusal.Code != 0 ? refusal
            : shown.Length > 0 ? DoorRefusal.Call(in caller, _caller.Proof, shown, app)
            : DoorRefusal.Action(in caller, _caller.Proof, "see", app);
        Deny(Guard, in caller, action, shown, in refusal);
        return false;
    }

    /// <summary>The rules of now do not hold for the rights of before.</summary>
    private void Forget()
    {
        _rights = null;
        _sender = null;
        _rate = _caller.Rules.RateOf(_caller.Caller.Identity);
    }

    private CallRights OwnRights()
    {
        if (_caller.Rules == SecurityRules.Off)
        {
            _caller.Look(); // without rules, a task that narrows its callers knows them by their place
        }

        return Guard.RightsOf(_caller.Rules, _caller.Caller);
    }

    private void Deny(TaskGuard at, in Caller caller, string action, string name, in DoorRefusal refusal) =>
        _caller.Deny(in caller, at.Door, action, at.Context.Engine.Name, name, in refusal);
}
