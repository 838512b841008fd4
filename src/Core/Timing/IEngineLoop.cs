using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Core.Timing;

/// <summary>The loop, as its engines see it.</summary>
internal interface IEngineLoop
{
    /// <summary>Monotonic ns of this turn.</summary>
    long NowNs { get; }

    /// <summary>Monotonic ms of this turn.</summary>
    long NowMs { get; }

    /// <summary>
    /// Ms for which the loop has listened: goes with <see cref="NowMs"/>, but stands still while the loop could not look at what its peers
    /// say, because the node was stopped, swapped out or busy with something else. A peer's silence is measured by it.
    /// </summary>
    long ListenedMs { get; }

    /// <summary>Timers by the clock: <see cref="NowMs"/>.</summary>
    DeadlineWheel Timers { get; }

    /// <summary>For how long others may be silent or slow, by <see cref="ListenedMs"/>.</summary>
    DeadlineWheel Patience { get; }

    /// <summary>Blocks for the requests and answers of all that lives on it: a version of an app that ends leaves none behind.</summary>
    BlockPool Blocks { get; }
}
