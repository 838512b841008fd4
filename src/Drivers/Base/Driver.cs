using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>Turns events of one kind (a call, a tick, a changed file) into jobs of one task. Lives on the engine's loop.</summary>
internal abstract class Driver
{
    /// <summary>Binds or opens everything that the driver needs. When the method throws, nothing stays open.</summary>
    /// <exception cref="IOException">The port is taken, the path cannot be used, …: the text gives the reason.</exception>
    public abstract void Open();

    /// <summary>Stops taking new work; the answers of running jobs still go out.</summary>
    public abstract void StopTaking();

    /// <summary>
    /// The version has switched: the driver now owns the parts of <see cref="DriverContext.Predecessors"/> that it continues. Called once
    /// after <see cref="Open"/>, in the same turn of the loop; the method cannot fail.
    /// </summary>
    public virtual void TakeOver()
    {
    }

    /// <summary>
    /// The task goes to another driver or away. The driver still makes jobs of the events that have happened by now, and then of no more.
    /// </summary>
    public virtual void HandOff() => StopTaking();

    /// <summary>The driver's listeners, when it has some that can be handed over.</summary>
    public virtual ServingListeners? Listeners => null;

    /// <summary>
    /// The driver serves its connections on all loops of the app. Other drivers are on its first loop only: a tick comes once, and a
    /// result is published in order.
    /// </summary>
    public virtual bool Spreads => false;

    /// <summary>Takes a connection that another loop of the app has accepted. The descriptor belongs to the driver.</summary>
    public virtual void Take(int descriptor) => throw new InvalidOperationException("the driver has no connections");

    /// <summary>Other rules hold for callers: connections of callers that have lost their identity end.</summary>
    public virtual void OnRulesChanged()
    {
    }

    /// <summary>Ends everything that is left, including connections.</summary>
    public abstract void Close();

    /// <summary>The endpoints that the driver listens on; empty when there are none.</summary>
    public virtual IReadOnlyList<string> Endpoints => [];

    /// <summary>The measurements of the driver's task.</summary>
    public abstract TaskMonitor Monitor { get; }

    /// <summary>The clients that are connected; null for a driver without clients.</summary>
    public virtual int? ConnectionCount => null;

    /// <summary>The driver makes its jobs of ticks.</summary>
    public virtual bool HasTicks => false;

    /// <summary>The driver's own facts for info, by name.</summary>
    public abstract IReadOnlyDictionary<string, object> Facts { get; }
}
