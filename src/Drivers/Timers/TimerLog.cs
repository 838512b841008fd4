using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Timers;

internal static partial class TimerLog
{
    [LoggerMessage(340, LogLevel.Warning,
        "{App}/{Task}: a tick was dropped because the engine did not take its job ({Total} so far): the queue is full, or the app broken "
        + "or paused. Tick less often, or raise engine.pool-limit or engine.queue-limit")]
    public static partial void Dropped(ILogger log, string app, string task, long total);

    [LoggerMessage(341, LogLevel.Warning,
        "{App}/{Task}: the node was held up or suspended: {Count} ticks are more than {Seconds} s late and are skipped")]
    public static partial void Skipped(ILogger log, string app, string task, long count, int seconds);

    [LoggerMessage(342, LogLevel.Warning,
        "{App}/{Task}: the node was suspended or the clock jumped: {Count} or more matches were missed (missed = {Missed})")]
    public static partial void Missed(ILogger log, string app, string task, long count, string missed);

    [LoggerMessage(343, LogLevel.Warning,
        "{App}/{Task}: {Why}; the app is asked again in {PauseMs} ms. "
        + "Its last chunk is the Unix time of the next run in seconds, or null for never")]
    public static partial void Useless(ILogger log, string app, string task, string why, long pauseMs);

    [LoggerMessage(344, LogLevel.Information, "{App}/{Task}: the app wants no further run until it is started again")]
    public static partial void Never(ILogger log, string app, string task);

    [LoggerMessage(345, LogLevel.Error, "{App}/{Task}: the timer failed and goes on in a second. Please report this with the stack")]
    public static partial void Fault(ILogger log, Exception fault, string app, string task);
}
