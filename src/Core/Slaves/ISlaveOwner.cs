using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The owner of slaves: each slave reports its own events to the owner. Events of a job go to the job's engine.</summary>
internal interface ISlaveOwner
{
    /// <summary>A slave is about to change its state; the call comes before the change.</summary>
    void OnStateChanges(Slave slave, SlaveState to);

    /// <summary>A slave's load has changed, or whether the slave may get jobs.</summary>
    void OnMoved(Slave slave);

    /// <summary>A slave has become ready.</summary>
    void OnReady(Slave slave);

    /// <summary>A job has left a slave.</summary>
    void OnFreed(Slave slave);

    /// <summary>Jobs were taken back from a slave: other slaves may have room for them.</summary>
    void OnTakenBack();

    /// <summary>A slave has not begun the oldest of its placed jobs in time: they were taken back.</summary>
    void OnStoodTooLong(Slave slave);

    /// <summary>The slave may have been silent for too long.</summary>
    void OnSilenceDue(Slave slave, long listenedMs);

    /// <summary>The node can hear a slave again, so the slave may get jobs.</summary>
    void OnHeardAgain();

    /// <summary>A slave has sent a heartbeat.</summary>
    void OnHeartbeat(Slave slave);

    /// <summary>A busy slave has been retired: it gets no more jobs.</summary>
    void OnRetired();

    /// <summary>A slave ends on its own wish after it has shown that it can live: its place is free.</summary>
    void OnLeaves();

    /// <summary>A slave is worn and has to be replaced.</summary>
    void OnWorn(Slave slave, WearReason why);

    /// <summary>A worn slave has no job at the moment.</summary>
    void OnWornIdle();

    /// <summary>A slave has abandoned one more job: it did not close the channel in time.</summary>
    void OnAbandoned(Slave slave);

    /// <summary>The last suspect of a slave that was kept for suspects has left.</summary>
    void OnRunApartOver();

    /// <summary>A slave is dead.</summary>
    /// <param name="slave">The dead slave.</param>
    /// <param name="before">The state of the slave before its death.</param>
    /// <param name="loss">The end of the slave, as its jobs hear of it.</param>
    /// <param name="jobs">The jobs on the slave, in the order in which the owner has to handle them.</param>
    /// <param name="names">The names of the jobs, for the log.</param>
    void OnDead(Slave slave, SlaveState before, in SlaveLoss loss, List<Job> jobs, string names);
}
