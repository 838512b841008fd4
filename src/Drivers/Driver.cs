using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers;

/// <summary>
/// What a driver is made of: its task, the engine its jobs go to and the loop it lives on. A driver outlives the version of its app: new
/// jobs go to <see cref="Engine"/> as it is then, and all that is done to a job goes to the job's own engine.
/// </summary>
/// <param name="Task">The task of the manifest.</param>
/// <param name="Engine">Where jobs go at first.</param>
/// <param name="Loop">The loop of every version's engine.</param>
/// <param name="Log">The node's log.</param>
/// <param name="InfoMap">Gives the app's info as an encoded MessagePack map, for drivers that serve it.</param>
internal sealed record DriverContext(TaskManifest Task, AppEngine Engine, EventLoop Loop, ILogger Log, Func<byte[]> InfoMap)
{
    /// <summary>Where new jobs go. Changes when another version of the app takes over, between two turns' events.</summary>
    public AppEngine Engine { get; private set; } = Engine;

    /// <summary>Where the answers of a publishing driver go. Changes as <see cref="Engine"/> does.</summary>
    public ResultPublisher Publisher { get; set; } = ResultPublisher.None;

    /// <summary>
    /// Drivers of the version before that end when this one begins: their listeners can be handed over, so that an endpoint that stays is
    /// never closed. Empty but during a switch.
    /// </summary>
    public IReadOnlyList<Driver> Predecessors { get; set; } = [];

    /// <summary>
    /// The engine of the next version, when that goes on with this task in another way. Set right before <see cref="Driver.HandOff"/>.
    /// </summary>
    public AppEngine? Successor { get; set; }

    /// <summary>The wall clock, for drivers whose times are dates; everything else goes by the loop's own clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The node's ZeroMQ thread, made when the first driver asks for it.</summary>
    public Func<ZeroMqPoller> ZeroMq { get; init; } = () => throw new IOException("this node has no ZeroMQ thread");

    /// <summary>New jobs go to another version's engine from now on.</summary>
    public void SwitchTo(AppEngine engine, ResultPublisher publisher)
    {
        Engine = engine;
        Publisher = publisher;
    }
}

/// <summary>Turns something that happens into jobs of one task. Lives on the engine's loop.</summary>
internal abstract class Driver
{
    /// <summary>Binds or opens what it needs. When it throws, nothing stays open.</summary>
    /// <exception cref="IOException">The port is taken, the path cannot be used, …: the text says what.</exception>
    public abstract void Open();

    /// <summary>Stops taking new work; jobs under way keep their way to the answer.</summary>
    public abstract void StopTaking();

    /// <summary>
    /// The version has switched: what <see cref="DriverContext.Predecessors"/> have and this driver goes on with is its own now. Called
    /// once after <see cref="Open"/>, in the same turn of the loop; it cannot fail.
    /// </summary>
    public virtual void TakeOver()
    {
    }

    /// <summary>Its task goes to another driver or away: what has happened by now is still made jobs of, then nothing new.</summary>
    public virtual void HandOff() => StopTaking();

    /// <summary>Its listeners, when it has some that can be handed over.</summary>
    public virtual ServingListeners? Listeners => null;

    /// <summary>Ends what is left, connections included.</summary>
    public abstract void Close();

    /// <summary>Where it listens, as endpoints; empty when it does not.</summary>
    public virtual IReadOnlyList<string> Endpoints => [];

    /// <summary>What is measured of its task.</summary>
    public abstract TaskMonitor Monitor { get; }

    /// <summary>Its own facts for info, by name.</summary>
    public abstract IReadOnlyDictionary<string, object> Facts { get; }
}
