using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Engine.Recycling;

internal static partial class RecycleLog
{
    [LoggerMessage(220, LogLevel.Information,
        "{App}: slave {Slave} is worn by its {Reason} and is recycled: its replacement is launched (jobs {Jobs}, age {AgeMs} ms, "
        + "rss {RssBytes} bytes, total {Total}, limit {Limit})")]
    public static partial void Begins(
        ILogger log, string app, string slave, WearReason reason, long jobs, long ageMs, long rssBytes, int total, int limit);

    [LoggerMessage(221, LogLevel.Information,
        "{App}: slave {Slave} is relieved by {Replacement} and ends when its jobs have ended (it has {Load})")]
    public static partial void Relieved(ILogger log, string app, string slave, string replacement, int load);

    [LoggerMessage(222, LogLevel.Information, "{App}: slave {Slave} is recycled (total {Total})")]
    public static partial void Done(ILogger log, string app, string slave, int total);

    [LoggerMessage(223, LogLevel.Warning,
        "{App}: slave {Slave} works on, its replacement {Replacement} did not come up ({Failures} in a row; the next try in {PauseMs} ms); "
        + "see whether the app's code still starts: {Cause}")]
    public static partial void Failed(
        ILogger log, string app, string slave, string replacement, int failures, long pauseMs, string cause);
}
