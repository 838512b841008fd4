using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>Makes slaves.</summary>
internal interface ISlaveBackend
{
    /// <summary>
    /// Starts a slave. Every failure is a failed start of that slave. The method either gives back all that it took and throws, or reports
    /// the failure later, through <see cref="Slave.OnDead"/> on the loop.
    /// </summary>
    SlaveLink Launch(Slave slave);

    /// <summary>
    /// How many of the wanted slaves may be launched now. The pool asks before each launch, launches no more than the answer, and asks
    /// again after <see cref="EngineLimits.RoomPauseMs"/> while it wants more. So the node keeps the descriptors and process ids that it
    /// needs itself to serve and to stop. The method runs on the loop and is quick. The backend also counts slaves that were launched and
    /// have not opened everything yet.
    /// </summary>
    /// <param name="wanted">Slaves that the pool wants, 1 or more.</param>
    /// <param name="isFirst">
    /// The app has no other slave: the backend may give it one from its reserve, so that a full node still serves each app.
    /// </param>
    SlaveRoom RoomFor(int wanted, bool isFirst) => new(wanted);

    /// <summary>Slaves that were given up and still run, because the backend cannot end them: threads that hang.</summary>
    int ThreadsLeft => 0;

    /// <summary>Slaves that have ended and whose code cannot be unloaded from the node.</summary>
    int CodeLeft => 0;

    /// <summary>The cores that the slaves may use.</summary>
    int Cores => Environment.ProcessorCount;

    /// <summary>The most slaves of an app that may be starting at the same time.</summary>
    int StartsAtOnce => EngineLimits.StartsAtOnce;
}
