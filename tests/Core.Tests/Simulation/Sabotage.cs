namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>A fault built into the world around the engine, once in a run: the model must see it.</summary>
internal enum Sabotage
{
    None,

    /// <summary>A caller gets its outcome twice.</summary>
    OutcomeTwice,

    /// <summary>A caller gets a chunk after its outcome.</summary>
    ChunkAfterEnd,

    /// <summary>An outcome never reaches its caller.</summary>
    LosesOutcome,

    /// <summary>A slave's answer goes to the other of two requests.</summary>
    SwapsAnswers,

    /// <summary>A slave's answer lacks a piece in the middle.</summary>
    SkipsChunk,

    /// <summary>A slave is told to run the same request again although it lives.</summary>
    RunsTwice,

    /// <summary>A slave lives on after the engine was told that it died.</summary>
    KeepsSlave,

    /// <summary>A piece of a request reaches the slave twice.</summary>
    RepeatsRequest,

    /// <summary>The engine's watch over a call that its slave does not end is lost, and with it a place for others.</summary>
    ForgetsCancelled,

    /// <summary>A job is charged with the death of a slave that had others as well.</summary>
    ChargesNeighbours,

    /// <summary>The slave that a suspect has for itself gets other jobs too.</summary>
    ForgetsAlone,

    /// <summary>The watch over a suspect that runs alone is lost: it keeps its slave from others for as long as it runs.</summary>
    KeepsAlone,

    /// <summary>The watch over a job's longest run is lost.</summary>
    ForgetsRunLimit,

    /// <summary>The time for which the node was stopped counts as its slaves' silence.</summary>
    CountsStall,

    /// <summary>A slave begins a job that the node has taken back: it does not look before it begins.</summary>
    IgnoresRecall,

    /// <summary>The node takes back a job that its slave has begun: it looks too early.</summary>
    TakesBackBegun,

    /// <summary>Nobody watches how long a job stands in a slave's ring.</summary>
    ForgetsPlaced,

    /// <summary>A job that was placed is charged with the death of its slave.</summary>
    ChargesPlaced,

    /// <summary>The next portion of a request goes although the slave has not read the last one.</summary>
    TellsReadEarly,

    /// <summary>Jobs get 500 for a start that failed although a slave works.</summary>
    BreaksTooEarly,

    /// <summary>The pool forgets that it wanted to try again after a start that failed.</summary>
    ForgetsToGrow,

    /// <summary>The pool takes a slave that died once it was ready for one whose start was good, and launches the next one at once.</summary>
    StartsAtOnce,
}
