namespace Cocaine.Fast.Cluster.Engine;

/// <summary>The outcome of a write by compare-and-set.</summary>
internal enum WriteOutcome
{
    /// <summary>The engine has the value. It is not on a disk yet.</summary>
    Written,

    /// <summary>The engine has another revision than the one that was read.</summary>
    Overtaken,

    /// <summary>The engine did not answer, or the session has ended: the value may be there, and is to be read.</summary>
    Unanswered,
}
