namespace Cocaine.Fast.Core.Jobs;

/// <summary>Where an engine is: <c>running → draining → stopped</c>.</summary>
internal enum EngineState
{
    /// <summary>Takes jobs.</summary>
    Running,

    /// <summary>Refuses new jobs, finishes those it has.</summary>
    Draining,

    /// <summary>Has no jobs and no slaves.</summary>
    Stopped,
}
