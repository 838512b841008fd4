using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The rights of all callers on the events of one task: the node's rules, narrowed by the task's <c>allow</c>. Lives on the engine's loop.
/// </summary>
/// <param name="context">The parts of the task's driver.</param>
internal sealed class TaskGuard(DriverContext context)
{
    /// <summary>The key of a task that narrows its callers.</summary>
    public static readonly KeySpec Allow = new(
        "allow", KeyKind.TextList,
        "the only callers of the task, by the names of `security.identities` in the node's config, or `@local`, `@loopback`, `@anyone`; "
        + "the rules of the config must allow them too", "all that the config's rules allow");

    /// <summary>The key that lets the headers that prove a caller go on to the workers.</summary>
    public static readonly KeySpec PassAuthorization = new(
        "pass-authorization", KeyKind.Boolean,
        "workers get the headers `authorization` and `seal` of their jobs; otherwise the node keeps these from them", "false");

    private readonly string _app = context.Engine.Name;
    private readonly IReadOnlyList<string> _allow =
        context.Task.Keys.TryGetValue(Allow.Name, out object? given) ? (IReadOnlyList<string>)given : [];

    private readonly Dictionary<Caller, CallRights> _rights = []; // made from _rules; at most one for each identity and place
    private SecurityRules _rules = SecurityRules.Off;

    /// <summary>The rules and the audit of the node.</summary>
    public Doorkeeper Keeper { get; } = context.Scope.Get(static () => Doorkeeper.OfNobody);

    /// <summary>The parts of the task's driver.</summary>
    public DriverContext Context => context;

    /// <summary>The task's door, for the audit.</summary>
    public string Door => $"{_app}/{context.Task.Name}";

    /// <summary>The task has callers of its own.</summary>
    public bool Narrows => _allow.Count > 0;

    /// <summary>The task passes headers with tokens on to its workers, which may know tokens of their own.</summary>
    public bool PassesTokens { get; } = context.Task.Keys.GetValueOrDefault(PassAuthorization.Name) is true;

    /// <summary>Checks that the callers of <c>allow</c> exist.</summary>
    /// <exception cref="IOException">The node knows no such caller.</exception>
    public void Check()
    {
        foreach (string name in _allow)
        {
            if (!Keeper.Rules.Knows(name))
            {
                throw new IOException($"'allow' names '{JsonPath.Shown(name)}', which is none of security.identities in the node's config");
            }
        }
    }

    /// <summary>The rights of a caller by these rules.</summary>
    public CallRights RightsOf(SecurityRules rules, in Caller caller)
    {
        if (rules != _rules)
        {
            _rights.Clear();
            _rules = rules;
        }

        if (!_rights.TryGetValue(caller, out CallRights? rights))
        {
            rights = new CallRights(rules, caller, _app, _allow);
            _rights.Add(caller, rights);
        }

        return rights;
    }
}
