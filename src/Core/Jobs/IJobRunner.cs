namespace Cocaine.Fast.Core.Jobs;

/// <summary>The slave, the loop or the node that runs a job, as the job's caller sees it. All calls come on the engine's loop.</summary>
internal interface IJobRunner
{
    /// <summary>
    /// A job's caller is slower than this slave. True when the job's answer is held back until <see cref="LetGo"/>, or until the job has
    /// ended; otherwise the slave's answers have to be buffered. The caller still gets all chunks that the slave has sent by then.
    /// </summary>
    /// <param name="channel">The job's channel on this slave.</param>
    /// <param name="alone">Holds only the answer of this job, or of a slave that takes no other job: nobody else waits.</param>
    bool HoldBack(ulong channel, bool alone = false);

    /// <summary>The caller of a job that was held back has room again. The job may have ended meanwhile.</summary>
    /// <inheritdoc cref="HoldBack"/>
    void LetGo(ulong channel);
}
