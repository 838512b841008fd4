using Cocaine.Fast.Core.Monitoring;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Pools;

internal static partial class RecycleLog
{
    [LoggerMessage(220, LogLevel.Information,
        "{App}: slave {Slave} is worn by its {Reason} and is recycled: its replacement is launched (jobs {Jobs}, age {AgeMs} ms, "
        + "rss {RssBytes} bytes, total {Total}, limit {Limit})")]
    public static partial void Begins(
        ILogger log, string app, string slave, WearReason reason, long jobs, long ageMs, long rssBytes, int total, int limit);

    [LoggerMessage(221, LogLevel.Information,
        "{App}: slave {Slave} is relieved by {Replacement} and ends when its jobs have ended (it has {Load}, {Abandoned} abandoned)")]
    public static partial void Relieved(ILogger log, string app, string slave, string replacement, int load, int abandoned);

    [LoggerMessage(222, LogLevel.Information, "{App}: slave {Slave} is recycled (total {Total})")]
    public static partial void Done(ILogger log, string app, string slave, int total);

    [LoggerMessage(223, LogLevel.Warning,
        "{App}: slave {Slave} works on, its replacement {Replacement} did not come up ({Failures} in a row; the next try in {PauseMs} ms); "
        + "see whether the app's code still starts: {Cause}")]
    public static partial void Failed(
        ILogger log, string app, string slave, string replacement, int failures, long pauseMs, string cause);

    [LoggerMessage(224, LogLevel.Warning,
        "{App}: job {Job} (event {Event}) was answered {Ms} ms ago and slave {Slave} has not ended it since: the job is abandoned and "
        + "the slave is replaced (abandoned jobs {Abandoned} of {Concurrency}); let the handler end when its call is cancelled, or "
        + "raise engine.heartbeat-timeout if it needs longer for that")]
    public static partial void Abandons(
        ILogger log, string app, ulong job, string @event, long ms, string slave, int abandoned, int concurrency);

    [LoggerMessage(225, LogLevel.Information,
        "{App}: slave {Slave} has nothing but {Abandoned} abandoned jobs and is told to end: it has no room for others, and no "
        + "replacement is on its way (total {Total}, limit {Limit})")]
    public static partial void EndsUseless(ILogger log, string app, string slave, int abandoned, int total, int limit);

    [LoggerMessage(226, LogLevel.Information,
        "{App}: slave {Slave} is worn by its {Reason}, has no job and ends before another is launched: {Leaving} others finish their "
        + "jobs, and there may be no more (jobs {Jobs}, total {Total}, limit {Limit})")]
    public static partial void EndsInPlace(
        ILogger log, string app, string slave, WearReason reason, long jobs, int total, int leaving, int limit);
}
