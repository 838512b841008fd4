using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The owner of slaves: each slave reports its own events to it. Events of a job go to the job's engine.</summary>
internal interface ISlaveOwner
{
    /// <summary>A slave goes from its state to another; called before it does.</summary>
    void OnStateChanges(Slave slave, SlaveState to);

    /// <summary>A slave's load, or whether it may get jobs, has changed.</summary>
    void OnMoved(Slave slave);

    /// <summary>A slave has become ready.</summary>
    void OnReady(Slave slave);

    /// <summary>A job has left a slave.</summary>
    void OnFreed(Slave slave);

    /// <summary>A slave can be heard again, and may be given jobs.</summary>
    void OnHeardAgain();

    /// <summary>A heartbeat has come.</summary>
    void OnHeartbeat(Slave slave);

    /// <summary>A slave that is busy gets no more jobs.</summary>
    void OnRetired();

    /// <summary>A slave ends of its own accord, after it has shown that it can live: its place is free.</summary>
    void OnLeaves();

    /// <summary>A slave is to be replaced.</summary>
    void OnWorn(Slave slave, WearReason why);

    /// <summary>A worn slave has no job for a moment.</summary>
    void OnWornIdle();

    /// <summary>A slave has one more job that it does not end.</summary>
    void OnAbandoned(Slave slave);

    /// <summary>A job that ran alone has left its slave, or died with it.</summary>
    void OnRunAloneOver();

    /// <summary>A slave is dead.</summary>
    /// <param name="slave">It is dead.</param>
    /// <param name="before">Its state before.</param>
    /// <param name="loss">Its end, as its jobs hear of it.</param>
    /// <param name="jobs">The jobs on it, in the order in which they are to be dealt with.</param>
    /// <param name="names">The names of the jobs, for the log.</param>
    void OnDead(Slave slave, SlaveState before, in SlaveLoss loss, List<Job> jobs, string names);
}
