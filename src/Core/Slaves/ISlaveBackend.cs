using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>Makes slaves.</summary>
internal interface ISlaveBackend
{
    /// <summary>
    /// Starts a slave. Every failure is a failed start of that slave: it is thrown from here, with all that was taken given back, or
    /// reported through <see cref="Slave.OnDead"/> later on the loop.
    /// </summary>
    SlaveLink Launch(Slave slave);

    /// <summary>
    /// How many of so many slaves may be launched now. The pool asks before each launch, launches no more, and asks again after
    /// <see cref="EngineLimits.RoomPauseMs"/> while it wants more. So the node keeps its own needs to serve and to stop: descriptors,
    /// process ids. On the loop, and quick. A slave that was launched and has not opened everything yet is the backend's to count.
    /// </summary>
    /// <param name="wanted">1 or more.</param>
    /// <param name="isFirst">
    /// The app has no other slave: the backend may give it one from its reserve, so that a full node still serves each app.
    /// </param>
    SlaveRoom RoomFor(int wanted, bool isFirst) => new(wanted);

    /// <summary>Slaves that were given up and run on, because the backend cannot end them: threads that hang.</summary>
    int ThreadsLeft => 0;

    /// <summary>Slaves that have ended and whose code cannot be unloaded from the node.</summary>
    int CodeLeft => 0;

    /// <summary>Most slaves of an app that may be starting at a time.</summary>
    int StartsAtOnce => EngineLimits.StartsAtOnce;
}
