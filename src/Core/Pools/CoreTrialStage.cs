namespace Cocaine.Fast.Core.Pools;

/// <summary>Whether another number of slaves is tried at present.</summary>
internal enum CoreTrialStage
{
    /// <summary>As many slaves get jobs as the last trials have shown to be best. The next stage is a trial, while jobs wait.</summary>
    Steady,

    /// <summary>Fewer slaves get jobs for a moment. The next stage is Steady, with fewer slaves if more jobs ended so.</summary>
    TryFewer,

    /// <summary>More slaves get jobs for a moment. The next stage is Steady, with more slaves if more jobs ended so.</summary>
    TryMore,
}
