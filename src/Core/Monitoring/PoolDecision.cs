namespace Cocaine.Fast.Core.Monitoring;

/// <summary>A decision of a pool about its size: an action, and its reason.</summary>
internal enum PoolDecision
{
    /// <summary>The app starts.</summary>
    GrowForStart,

    /// <summary>Jobs wait.</summary>
    GrowForJobs,

    /// <summary>There are fewer slaves than the minimum.</summary>
    GrowForMinimum,

    /// <summary>Jobs wait on another loop of the app.</summary>
    GrowForOthers,

    /// <summary>The app has no slave, or the last start failed.</summary>
    GrowAgain,

    /// <summary>The pool would grow, and is at its limit.</summary>
    HoldAtLimit,

    /// <summary>The pool would grow, and the node has no room for all of these slaves.</summary>
    HoldWithoutRoom,

    /// <summary>The pool would grow, and rests because a start failed.</summary>
    HoldAfterFailure,

    /// <summary>A slave was idle for the suicide-timeout.</summary>
    ShrinkIdle,

    /// <summary>An operator has lowered the limit.</summary>
    ShrinkToLimit,
}
