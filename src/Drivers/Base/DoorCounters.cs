using System.Numerics;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The peers that a listening task has turned away, by the reason. Each count is logged at 1, 2, 4, 8 and so on, so that a flood does not
/// fill the log.
/// </summary>
/// <param name="context">The parts of the driver.</param>
/// <param name="driver">Has the counts of the task.</param>
internal sealed class DoorCounters(DriverContext context, Driver driver)
{
    /// <summary>Connections over the bound of their address, or of the task.</summary>
    public long RefusedConnections => driver.Monitor.Counts.ConnectionsRefused;

    /// <summary>Calls with a name or a tag over its bound.</summary>
    public long RefusedNames { get; private set; }

    /// <summary>Messages that were given up because their next byte did not come.</summary>
    public long StalledMessages { get; private set; }

    /// <summary>Unfinished messages that were given up because all of them took too much memory.</summary>
    public long RefusedMessages { get; private set; }

    /// <summary>Connections that were closed because nothing happened on them.</summary>
    public long IdleClosed { get; set; }

    /// <summary>The counts for info, by name.</summary>
    public Dictionary<string, object> AddTo(Dictionary<string, object> facts)
    {
        facts["refused-connections"] = RefusedConnections;
        facts["refused-names"] = RefusedNames;
        facts["refused-messages"] = RefusedMessages;
        facts["stalled-messages"] = StalledMessages;
        facts["idle-closed"] = IdleClosed;
        return facts;
    }

    public void OnTooMany(SocketConnection peer, int max)
    {
        if (BitOperations.IsPow2(++driver.Monitor.Counts.ConnectionsRefused))
        {
            ListeningLog.TooManyOfOne(
                context.Log, context.Engine.Name, context.Task.Name, peer.PeerName, max, RefusedConnections);
        }
    }

    public void OnTooManyInAll(int max)
    {
        if (BitOperations.IsPow2(++driver.Monitor.Counts.ConnectionsRefused))
        {
            ListeningLog.TooMany(context.Log, context.Engine.Name, context.Task.Name, max, RefusedConnections);
        }
    }

    public void OnName(SocketConnection peer, string problem)
    {
        if (BitOperations.IsPow2(++RefusedNames))
        {
            ListeningLog.Refused(context.Log, context.Engine.Name, context.Task.Name, peer.PeerName, problem, RefusedNames);
        }
    }

    public void OnUnfinished(SocketConnection peer, PartialFault fault)
    {
        long total = fault == PartialFault.Stalled ? ++StalledMessages : ++RefusedMessages;
        if (BitOperations.IsPow2(total))
        {
            ListeningLog.Unfinished(context.Log, context.Engine.Name, context.Task.Name, peer.PeerName, PartialProblem.Of(fault), total);
        }
    }
}
