using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The parts that a driver is made of: its task, the engine of its jobs and its loop. A driver outlives the version of its app: new jobs go
/// to the present <see cref="Engine"/>, and every call about a job goes to the job's own engine.
/// </summary>
/// <param name="Task">The task of the manifest.</param>
/// <param name="Engine">The first engine of new jobs.</param>
/// <param name="Loop">The loop of every version's engine.</param>
/// <param name="Log">The node's log.</param>
/// <param name="AskInfo">
/// Gives the app's info as an encoded MessagePack map, for drivers that serve it: at once, or later on this loop when the app lives on
/// several.
/// </param>
internal sealed record DriverContext(TaskManifest Task, AppEngine Engine, EventLoop Loop, ILogger Log, Action<Action<byte[]>> AskInfo)
{
    /// <summary>
    /// Set on the app's further loops: the driver listens nowhere, and gets the connections of these endpoints by
    /// <see cref="Driver.Take"/>.
    /// </summary>
    public HomeEndpoints? Home { get; init; }

    /// <summary>
    /// Gives an accepted descriptor of a task to another loop of the app, each loop in turn; false when it is this loop's turn.
    /// </summary>
    public Func<string, int, bool> TryHand { get; init; } = static (_, _) => false;

    /// <summary>The engine of new jobs. Changes when another version of the app takes over, between two turns' events.</summary>
    public AppEngine Engine { get; private set; } = Engine;

    /// <summary>Publishes the answers of a publishing driver. Changes together with <see cref="Engine"/>.</summary>
    public ResultPublisher Publisher { get; set; } = ResultPublisher.None;

    /// <summary>
    /// Drivers of the version before that end when this one begins. Their listeners can be handed over, so that an endpoint that stays is
    /// never closed. Empty except during a switch.
    /// </summary>
    public IReadOnlyList<Driver> Predecessors { get; set; } = [];

    /// <summary>
    /// The engine of the next version, when that version continues this task in another way. Set right before <see cref="Driver.HandOff"/>.
    /// </summary>
    public AppEngine? Successor { get; set; }

    /// <summary>The wall clock, for drivers whose times are dates; all other times follow the loop's own clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The objects that the driver shares with the app's other drivers.</summary>
    public AppScope Scope { get; init; } = new();

    /// <summary>
    /// The right to make the task's jobs, in a cluster and with <c>run-on: one</c>; null when each node makes them.
    /// </summary>
    public ISingleton? Singleton { get; init; }

    /// <summary>Another node of the cluster makes the task's jobs now, or none does.</summary>
    public bool IsElsewhere => Singleton is { MayFire: false };

    /// <summary>New jobs go to another version's engine from now on.</summary>
    public void SwitchTo(AppEngine engine, ResultPublisher publisher)
    {
        Engine = engine;
        Publisher = publisher;
    }
}
