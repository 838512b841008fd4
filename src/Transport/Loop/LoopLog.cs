using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Loop;

internal static partial class LoopLog
{
    [LoggerMessage(100, LogLevel.Error, "a handler on the event loop failed; the loop goes on. Please report this with the stack")]
    public static partial void HandlerFault(ILogger log, Exception fault);

    [LoggerMessage(101, LogLevel.Warning,
        "connections are refused: nearly all descriptors are in use, clients get none above {Limit}; raise the node's limit (ulimit -n)")]
    public static partial void NoDescriptors(ILogger log, int limit);

    [LoggerMessage(102, LogLevel.Warning,
        "the event loop did not run for {StalledMs} ms: the node was stopped, swapped out or short of processor time, or a handler was slow"
        + "; this time is not counted as the silence of slaves and clients")]
    public static partial void Stalled(ILogger log, long stalledMs);

    [LoggerMessage(103, LogLevel.Warning,
        "{Endpoint}: others can put a socket of theirs in the place of this one: {Problem}")]
    public static partial void FolderOfOthers(ILogger log, string endpoint, string problem);
}
