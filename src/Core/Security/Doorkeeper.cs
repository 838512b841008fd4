using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The rules that all doors of a node ask, the audit, and the connections of each identity. One for each node. Any thread; a door on its
/// request path only compares <see cref="Rules"/> with the ones that it knows.
/// </summary>
internal sealed class Doorkeeper
{
    private readonly ILogger _log;
    private readonly Func<string, uint?> _userOf;
    private readonly Lock _lock = new(); // guards the counts; taken when a connection begins or ends
    private readonly Dictionary<string, int> _connections = [];
    private volatile SecurityRules _rules = SecurityRules.Off;

    /// <summary>Makes a doorkeeper without rules.</summary>
    /// <param name="log">Gets the lines of the audit.</param>
    /// <param name="time">The clock of the audit.</param>
    /// <param name="userOf">The number of a user of this host by name; null when there is no user of that name.</param>
    public Doorkeeper(ILogger log, TimeProvider time, Func<string, uint?> userOf)
    {
        _log = log;
        _userOf = userOf;
        Audit = new Audit(log, time);
    }

    /// <summary>A doorkeeper for doors that belong to no node: it has no rules.</summary>
    public static Doorkeeper OfNobody { get; } = new(NullLogger.Instance, TimeProvider.System, static _ => null);

    /// <summary>The rules of now.</summary>
    public SecurityRules Rules => _rules;

    public Audit Audit { get; }

    /// <summary>Makes other rules hold. Doors see them with their next call.</summary>
    public void Use(SecurityConfig config)
    {
        SecurityRules next = new(config, _rules.Generation + 1, _userOf);
        foreach (string user in next.UnknownUsers)
        {
            AuditLog.NoUser(_log, user);
        }

        _rules = next;
        AuditLog.Reloaded(_log, next.Generation, config.Identities.Count, config.Rights.Count, next.IsOn ? "on" : "off");
    }

    /// <summary>Counts a connection of an identity; false when it has as many as it may have.</summary>
    public bool TryEnter(Identity identity)
    {
        lock (_lock)
        {
            int count = _connections.GetValueOrDefault(identity.Name);
            if (identity.MaxConnections > 0 && count >= identity.MaxConnections)
            {
                return false;
            }

            _connections[identity.Name] = count + 1;
            return true;
        }
    }

    /// <summary>A connection that <see cref="TryEnter"/> counted has ended.</summary>
    public void Leave(Identity identity)
    {
        lock (_lock)
        {
            if (--_connections[identity.Name] == 0)
            {
                _connections.Remove(identity.Name);
            }
        }
    }
}
