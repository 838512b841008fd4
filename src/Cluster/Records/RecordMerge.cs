namespace Cocaine.Fast.Cluster.Records;

/// <summary>The step with which a node brings its disk and the engine together, for one app.</summary>
internal enum MergeStep
{
    /// <summary>Both have the same.</summary>
    Nothing,

    /// <summary>The engine's record goes to the disk.</summary>
    Take,

    /// <summary>The disk's record goes to the engine, which lost it or came back older.</summary>
    PutBack,

    /// <summary>
    /// The engine's record goes to the disk, and ours is kept beside it as a conflict: the engine lost a write and then took another one.
    /// </summary>
    TakeAndKeepConflict,

    /// <summary>
    /// The engine's record goes to the disk although ours is younger, and ours is kept beside it: this node was away for too long.
    /// </summary>
    TakeAndKeepOld,

    /// <summary>
    /// The record stays on this node alone: the node was away for too long to put it back, and an engine that knows nothing ends no app.
    /// The user is told how to publish or delete the app.
    /// </summary>
    KeepHere,
}

/// <summary>Brings the records of a node's disk and of the engine together. Pure: the same answer for the same records.</summary>
internal static class RecordMerge
{
    /// <summary>The step for one app.</summary>
    /// <param name="inEngine">The engine's record; null when it has none.</param>
    /// <param name="onDisk">This node's record; null when it has none.</param>
    /// <param name="sinceStored">How long ago this node stored its record, by its own clock.</param>
    /// <param name="sinceSync">How long ago this node was last in sync with the engine, by its own clock.</param>
    public static MergeStep Decide(AppRecord? inEngine, AppRecord? onDisk, TimeSpan sinceStored, TimeSpan sinceSync)
    {
        if (onDisk is null)
        {
            return inEngine is null ? MergeStep.Nothing : MergeStep.Take;
        }

        bool mayPutBack = sinceSync <= RecordLimits.LongestAbsence;
        if (inEngine is null)
        {
            return onDisk.IsDeleted ? mayPutBack && sinceStored < RecordLimits.TombstoneInEngine ? MergeStep.PutBack : MergeStep.Nothing
                : mayPutBack ? MergeStep.PutBack : MergeStep.KeepHere;
        }

        return inEngine.CompareAge(onDisk) switch
        {
            > 0 => MergeStep.Take,
            < 0 => mayPutBack ? MergeStep.PutBack : MergeStep.TakeAndKeepOld,
            _ => inEngine.Change == onDisk.Change ? MergeStep.Nothing : MergeStep.TakeAndKeepConflict,
        };
    }

    /// <summary>Whether a node may forget a tombstone that it stored so long ago.</summary>
    /// <param name="onDisk">This node's record.</param>
    /// <param name="sinceStored">How long ago this node stored it, by its own clock.</param>
    public static bool MayForget(AppRecord onDisk, TimeSpan sinceStored) => onDisk.IsDeleted && sinceStored > RecordLimits.TombstoneOnDisk;
}
