namespace Cocaine.Fast.Client.Choosing;

/// <summary>How a try of a call has failed.</summary>
internal enum TryEnd
{
    /// <summary>The job was never run: the node had no room, or the connection had ended before the call was written.</summary>
    NeverRun,

    /// <summary>The connection ended while the node had the call: the job may have run.</summary>
    Lost,

    /// <summary>Everything else: an answer of the app or the node, a deadline, a caller that gave up.</summary>
    Answered,
}

/// <summary>Whether a call that has failed may go to another node. A job runs twice only when its caller has said that it may.</summary>
internal static class RetryRule
{
    /// <summary>True when the call may try another node, if the budget has a retry left.</summary>
    /// <param name="end">How the try has failed.</param>
    /// <param name="isIdempotent">The job may run twice.</param>
    /// <param name="hasBegun">A byte of the answer has come, or a chunk of a streamed request was written.</param>
    /// <param name="tried">The nodes that the call has tried.</param>
    public static bool MayRetry(TryEnd end, bool isIdempotent, bool hasBegun, int tried) =>
        !hasBegun && tried <= ChoiceLimits.MostRetriesOfACall
        && (end == TryEnd.NeverRun || (end == TryEnd.Lost && isIdempotent));

    /// <summary>The time that is left of a deadline, at least a millisecond; null without a deadline.</summary>
    /// <param name="deadline">The call's deadline.</param>
    /// <param name="spent">The time since the call began.</param>
    public static TimeSpan? Left(TimeSpan? deadline, TimeSpan spent) => deadline is not { } given ? null
        : given - spent > TimeSpan.FromMilliseconds(1) ? given - spent : TimeSpan.FromMilliseconds(1);
}
