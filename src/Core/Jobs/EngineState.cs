namespace Cocaine.Fast.Core.Jobs;

/// <summary>Where an engine is: <c>running → draining → stopped</c>.</summary>
internal enum EngineState
{
    /// <summary>The engine takes jobs.</summary>
    Running,

    /// <summary>The engine refuses new jobs and finishes the accepted ones.</summary>
    Draining,

    /// <summary>The engine has no jobs and no slaves.</summary>
    Stopped,
}
