namespace Cocaine.Fast.Core.Pools;

/// <summary>Which slaves get jobs, and whether that is a trial.</summary>
internal enum CoreTrialStage
{
    /// <summary>All slaves get jobs. The next stage is TryFew.</summary>
    All,

    /// <summary>As many slaves as cores get jobs for a moment. The next stage is Few if more jobs end so, else All.</summary>
    TryFew,

    /// <summary>As many slaves as cores get jobs. The next stage is TryAll, or All when no jobs wait any more.</summary>
    Few,

    /// <summary>All slaves get jobs for a moment. The next stage is All if more jobs end so, else Few.</summary>
    TryAll,
}
