using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The end of a slave, as its jobs hear of it.</summary>
/// <param name="SlaveId">The slave's name in logs.</param>
/// <param name="Cause">Why the slave ended, for people.</param>
/// <param name="Jobs">Jobs on the slave, including answered jobs that the worker had not ended: each may be the cause.</param>
/// <param name="Group">The group of suspects that the slave was kept for; 0 for none.</param>
/// <param name="Suspects">
/// The jobs of the group among them. All others on the slave had run for long, and the slave had lived.
/// </param>
/// <param name="Death">
/// The same for the quarantine; null when the slave did not die of its jobs: it was told to end, or was killed for a hung job.
/// </param>
internal readonly record struct SlaveLoss(string SlaveId, string Cause, int Jobs, int Group, int Suspects, SlaveDeath? Death)
{
    /// <summary>The jobs of which each may be the cause: the suspects when there are any, and all otherwise.</summary>
    public int MayBeCause => Suspects > 0 ? Suspects : Jobs;

    /// <summary>The slave died of one of several jobs, and nobody knows of which.</summary>
    public bool IsSuspicion => Death is not null && MayBeCause > 1;

    /// <summary>The reason that the caller of a job gets when the job is not run again.</summary>
    public string Reason => !IsSuspicion ? $"slave {SlaveId} died: {Cause}"
        : $"slave {SlaveId} died: {Cause}; this was one of {MayBeCause} jobs on it, and it is not known which of them was the cause";

    /// <summary>The verdict that the slave's end is about one of its jobs.</summary>
    public LossVerdict Of(Job job) => Death is null ? LossVerdict.None
        : Suspects > 0 && job.SuspectGroup != Group ? LossVerdict.Cleared
        : MayBeCause == 1 ? LossVerdict.Charged : LossVerdict.Suspected;
}

/// <summary>The verdict that the end of a slave is about a job that was on it.</summary>
internal enum LossVerdict
{
    /// <summary>Nothing: the slave did not die of its jobs.</summary>
    None,

    /// <summary>The slave died of another job: the run does not count.</summary>
    Cleared,

    /// <summary>The slave died of this one job.</summary>
    Charged,

    /// <summary>The slave died of this job, or of another one.</summary>
    Suspected,
}
