using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The sender of the latest sealed call of a connection, with its rights on one task: found once, and good as long as rules, task and
/// sender are the same. A connection of one session never looks for them again; behind a broker they change from call to call.
/// </summary>
/// <param name="guard">The guard of the task.</param>
/// <param name="rules">The rules.</param>
/// <param name="keyName">The name of the sender's key.</param>
/// <param name="caller">The sender at the connection's place.</param>
internal sealed class SealedSender(TaskGuard guard, SecurityRules rules, string keyName, Caller caller)
{
    /// <summary>The sender.</summary>
    public Caller Caller => caller;

    /// <summary>The rights of the sender on the task.</summary>
    public CallRights Rights { get; } = guard.RightsOf(rules, in caller);

    /// <summary>The bound of the sender; null when it has none.</summary>
    public CallRate? Rate { get; } = rules.RateOf(caller.Identity);

    /// <summary>
    /// A call with this key to this task is of the sender, by these rules. A key's name is one object for all sessions of the key.
    /// </summary>
    public bool Is(TaskGuard at, SecurityRules by, string key) => guard == at && rules == by && ReferenceEquals(keyName, key);
}
