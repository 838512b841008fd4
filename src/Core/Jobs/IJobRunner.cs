namespace Cocaine.Fast.Core.Jobs;

/// <summary>The slave that runs a job, as the job's caller sees it. All calls come on the engine's loop.</summary>
internal interface IJobRunner
{
    /// <summary>
    /// A caller is slower than this slave. True when the slave is held back until <see cref="LetGo"/>, since it has no other job; otherwise
    /// the slave's answers have to be buffered.
    /// </summary>
    bool HoldBack();

    /// <summary>A caller no longer holds the slave back.</summary>
    void LetGo();
}
