using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The end of a slave, as its jobs hear of it.</summary>
/// <param name="SlaveId">The slave's name in logs.</param>
/// <param name="Cause">Why the slave ended, for people.</param>
/// <param name="Jobs">Jobs on the slave, including answered jobs that the worker had not ended: each may be the cause.</param>
/// <param name="Culprit">
/// The suspect that the slave was kept for. All other jobs on the slave had run for long, and the slave had lived. Null when the slave was
/// kept for none.
/// </param>
/// <param name="Death">
/// The same for the quarantine; null when the slave did not die of its jobs: it was told to end, or was killed for a hung job.
/// </param>
internal readonly record struct SlaveLoss(string SlaveId, string Cause, int Jobs, Job? Culprit, SlaveDeath? Death)
{
    /// <summary>The slave died of one of several jobs, and nobody knows of which.</summary>
    public bool IsSuspicion => Death is not null && Jobs > 1 && Culprit is null;

    /// <summary>The slave died, and this job is taken for the cause.</summary>
    public bool IsProofAgainst(Job job) => Death is not null && (Culprit is null ? Jobs == 1 : Culprit == job);

    /// <summary>The slave died, and another job is taken for the cause.</summary>
    public bool Clears(Job job) => Death is not null && Culprit is not null && Culprit != job;

    /// <summary>The reason that the caller of a job gets when the job is not run again.</summary>
    public string Reason => !IsSuspicion ? $"slave {SlaveId} died: {Cause}"
        : $"slave {SlaveId} died: {Cause}; this was one of {Jobs} jobs on it, and it is not known which of them was the cause";
}
