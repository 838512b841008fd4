using Cocaine.Fast.Core.Slaves;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Pools;

internal static partial class PoolLog
{
    [LoggerMessage(200, LogLevel.Information,
        "{App}: pool grows by {Count}: {Reason} (waiting {Waiting}, idle {Idle}, starting {Starting})")]
    public static partial void Grows(ILogger log, string app, int count, int waiting, int idle, int starting, string reason);

    [LoggerMessage(201, LogLevel.Information,
        "{App}: pool holds at its engine.pool-limit of {Limit} (waiting {Waiting}, idle {Idle}, starting {Starting})")]
    public static partial void Holds(ILogger log, string app, int waiting, int idle, int starting, int limit);

    [LoggerMessage(209, LogLevel.Warning,
        "{App}: pool holds, the node has room for {Room} of {Wanted} slaves: {Reason} (total {Total}, waiting {Waiting}); the pool "
        + "asks again each second")]
    public static partial void HasNoRoom(ILogger log, string app, int room, int wanted, string reason, int total, int waiting);

    [LoggerMessage(210, LogLevel.Warning,
        "{App}: the pool cannot grow, a start failed ({Failures} in a row; the next try in {PauseMs} ms): {Working} slaves work on for "
        + "{Waiting} waiting jobs; see whether the app's code still starts: {Cause}")]
    public static partial void CannotGrow(ILogger log, string app, int failures, int working, int waiting, long pauseMs, string cause);

    [LoggerMessage(202, LogLevel.Information, "{App}: pool shrinks: slave {Slave} idle for {IdleMs} ms (total {Total}, minimum {Minimum})")]
    public static partial void Shrinks(ILogger log, string app, string slave, long idleMs, int total, int minimum);

    [LoggerMessage(203, LogLevel.Information, "{App}: slave {Slave} is ready over {Kind} after {StartMs} ms")]
    public static partial void Ready(ILogger log, string app, string slave, string kind, long startMs);

    [LoggerMessage(204, LogLevel.Warning, "{App}: slave {Slave} died while {State}: {Cause}{Jobs}")]
    public static partial void Died(ILogger log, string app, string slave, SlaveState state, string cause, string jobs);

    [LoggerMessage(242, LogLevel.Information,
        "{App}: jobs go to {Slaves} slaves: {Rate} of them end in a second so, and {OtherRate} did with {OtherSlaves}")]
    public static partial void SharesCores(ILogger log, string app, int slaves, long rate, long otherRate, int otherSlaves);

    [LoggerMessage(205, LogLevel.Information, "{App}: slave {Slave} ended: {Cause}{Jobs}")]
    public static partial void Ended(ILogger log, string app, string slave, string cause, string jobs);

    [LoggerMessage(241, LogLevel.Warning,
        "{App}: slave {Slave} had {Count} jobs when it died, and any of them may be the cause: the death is charged to none of them. Jobs "
        + "that may run again run in two groups, each on an empty slave, and in halves of a group that kills its slave again")]
    public static partial void Suspects(ILogger log, string app, string slave, int count);

    [LoggerMessage(243, LogLevel.Information,
        "{App}: suspects have run apart for {ApartMs} ms on slave {Slave}, which lives: other jobs wait, and run beside them now{Jobs}")]
    public static partial void Settled(ILogger log, string app, string jobs, long apartMs, string slave);

    [LoggerMessage(206, LogLevel.Error,
        "{App}: broken: {Failures} starts failed in a row and no slave is ready, jobs get 500 until one is; the node tries on. Last cause: "
        + "{Cause}")]
    public static partial void Broken(ILogger log, string app, int failures, string cause);

    [LoggerMessage(208, LogLevel.Warning,
        "{App}: the queue serves the {Which} first now (waiting {Waiting}, the oldest for {WaitMs} ms, engine.queue-target {TargetMs} ms; "
        + "overloads so far {Overloads})")]
    public static partial void OrderChanges(
        ILogger log, string app, string which, int waiting, long waitMs, long targetMs, ulong overloads);

    [LoggerMessage(207, LogLevel.Information, "{App}: no longer broken, a slave is up and stays")]
    public static partial void Recovered(ILogger log, string app);

    [LoggerMessage(230, LogLevel.Warning,
        "{App}: slave {Slave} died while Starting, for the same reason as the slave before it, {Times} times within {Seconds} s: {Cause}")]
    public static partial void DiedAgain(ILogger log, string app, string slave, int times, long seconds, string cause);
}
