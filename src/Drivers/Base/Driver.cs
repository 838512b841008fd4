using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Drivers.Base;

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

    /// <summary>The measurements of its task.</summary>
    public abstract TaskMonitor Monitor { get; }

    /// <summary>Its own facts for info, by name.</summary>
    public abstract IReadOnlyDictionary<string, object> Facts { get; }
}
