using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The parts that the node gives to an app, the same for all of its versions.</summary>
/// <param name="Loop">The loop that the app lives on, or one of them.</param>
/// <param name="ZeroMq">Hears of the time that ZeroMQ sockets take to close.</param>
/// <param name="CustomDrivers">Drivers of the embedding program.</param>
/// <param name="Log">The app's log, which keeps the lines of its workers.</param>
/// <param name="Records">The records that outlive an engine of the app; null when there are none.</param>
internal sealed record AppParts(
    EventLoop Loop, ClosingSockets ZeroMq, IReadOnlyDictionary<string, Func<CustomDriver>> CustomDrivers, AppJournal Log,
    EngineRecords? Records = null)
{
    /// <summary>Called once, on the loop, when the app has stopped.</summary>
    public Action Ended { get; init; } = static () => { };

    /// <summary>The records on a further loop: by the shard, the step of job numbers, and a number below them.</summary>
    public required Func<int, int, ulong, EngineRecords> ShardRecords { get; init; }

    /// <summary>The rules of the node's doors.</summary>
    public required Doorkeeper Keeper { get; init; }

    /// <summary>Counts the connections of the app's tasks, on all of its loops.</summary>
    public TaskDoors Doors { get; } = new();

    /// <summary>The node's sealed jobs.</summary>
    public NodeSeals Seals { get; init; } = NodeSeals.None;

    /// <summary>The node's TLS.</summary>
    public NodeTls Tls { get; init; } = new(null);

    /// <summary>The rights of an app of the node's cluster, for each task with <c>run-on: one</c>.</summary>
    public Func<string, ISingleton?> Singletons { get; init; } = static _ => null;

    /// <inheritdoc cref="DriverContext.TryHand"/>
    public Func<string, int, bool> TryHand { get; init; } = static (_, _) => false;
}
