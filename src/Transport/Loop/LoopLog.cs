using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Loop;

internal static partial class LoopLog
{
    [LoggerMessage(100, LogLevel.Error, "a handler on the event loop failed; the loop goes on. Please report this with the stack")]
    public static partial void HandlerFault(ILogger log, Exception fault);

    [LoggerMessage(101, LogLevel.Warning,
        "connections are refused: nearly all descriptors are in use, clients get none above {Limit}; raise the node's limit (ulimit -n)")]
    public static partial void NoDescriptors(ILogger log, int limit);
}
