using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>The engine, as its pool sees it: it has the jobs, and hears of the slaves' fates.</summary>
internal interface IPoolOwner
{
    /// <summary>The job that is next to run, for a slave with room; null when its time was up: then it is answered and not run.</summary>
    Job? TakeNext();

    /// <summary>The suspect that is next to run, for an empty slave; null when its time was up: then it is answered and not run.</summary>
    Job? TakeNextSuspect();

    /// <summary>A slave is ready.</summary>
    void OnSlaveReady();

    /// <summary>A job's slave is gone: the job is run again or fails.</summary>
    void OnSlaveLost(Job job, in SlaveLoss loss);

    /// <summary>Starts failed too often, and no slave is left that could take a job.</summary>
    void OnBroken(string cause);

    /// <summary>Called after each change that may have ended the last job or slave of a draining engine.</summary>
    void CheckDrained();
}
