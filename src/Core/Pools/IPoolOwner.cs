using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>The engine as its pool sees it: the owner has the jobs, and hears about the slaves' ends.</summary>
internal interface IPoolOwner
{
    /// <summary>
    /// The next job to run, for a slave with room. Null when the job's time was up: the job is then answered and does not run.
    /// </summary>
    Job? TakeNext();

    /// <summary>
    /// Takes a waiting suspect for a slave that is kept for it. Null when the suspect's time was up: the suspect is then answered and does
    /// not run.
    /// </summary>
    Job? TakeSuspect(Job suspect);

    /// <summary>The next usual job can stand ahead of its turn: its request is whole. Valid while one waits.</summary>
    bool IsNextWhole { get; }

    /// <summary>Takes the next job with a whole request for a slave that gets it ahead of its turn.</summary>
    /// <param name="job">It, placed as the queue counts; null when its time was up, and then it is answered.</param>
    /// <returns>False when no job waits that can be placed.</returns>
    bool TryTakeAhead(out Job? job);

    /// <summary>Answers the jobs that came back from slaves when their time was up.</summary>
    void ExpireLate();

    /// <summary>A slave is ready.</summary>
    void OnSlaveReady();

    /// <summary>A job's slave is gone: the job runs again or fails.</summary>
    void OnSlaveLost(Job job, in SlaveLoss loss);

    /// <summary>Starts failed too often, and no slave is left to take a job.</summary>
    void OnBroken(string cause);

    /// <summary>Called after each change that may have ended the last job or slave of a draining engine.</summary>
    void CheckDrained();
}
