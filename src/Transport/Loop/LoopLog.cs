using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Loop;

internal static partial class LoopLog
{
    [LoggerMessage(100, LogLevel.Error, "a handler on the event loop failed; the loop goes on. Please report this with the stack")]
    public static partial void HandlerFault(ILogger log, Exception fault);
}
