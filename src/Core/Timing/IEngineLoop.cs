using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Core.Timing;

/// <summary>The loop as its engines see it.</summary>
internal interface IEngineLoop
{
    /// <summary>Monotonic time of this turn, ns.</summary>
    long NowNs { get; }

    /// <summary>Monotonic time of this turn, ms.</summary>
    long NowMs { get; }

    /// <summary>
    /// Time for which the loop has listened, ms. It goes with <see cref="NowMs"/>, but stands still while the loop could not look at its
    /// peers' messages, because the node was stopped, swapped out or busy. The silence of a peer is measured by it.
    /// </summary>
    long ListenedMs { get; }

    /// <summary>Timers by the clock: <see cref="NowMs"/>.</summary>
    DeadlineWheel Timers { get; }

    /// <summary>Timers by <see cref="ListenedMs"/>, for the silence and slowness of peers.</summary>
    DeadlineWheel Patience { get; }

    /// <summary>
    /// Blocks for the requests and answers of everything on the loop: a version of an app that ends leaves no blocks behind.
    /// </summary>
    BlockPool Blocks { get; }
}
