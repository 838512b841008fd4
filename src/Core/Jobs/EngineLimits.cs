namespace Cocaine.Fast.Core.Jobs;

/// <summary>The engine's bounds that no manifest sets.</summary>
internal static class EngineLimits
{
    /// <summary>Request bytes of one waiting job: one message of the largest size, and its framing.</summary>
    public const int MaxWaitingRequestBytes = (64 << 20) + (64 << 10);

    /// <summary>
    /// Request bytes kept of a running job for another run; a longer request is run once: keeping it would copy what may be a whole
    /// file.
    /// </summary>
    public const int MaxRetryRequestBytes = 1 << 20;

    /// <summary>Backlog to a slave from which its callers are asked to wait: a quarter of the usual ring.</summary>
    public const int HighBacklogBytes = 256 << 10;

    /// <summary>Backlog at which a channel whose caller cannot wait fails: two messages of the largest size.</summary>
    public const long MaxBacklogBytes = 128L << 20;

    /// <summary>
    /// How long the oldest job's wait must be over engine.queue-target until an adaptive queue serves the newest first. CoDel's interval
    /// (RFC 8289): longer than a burst that clears by itself, shorter than a caller's patience.
    /// </summary>
    public const int QueueIntervalMs = 100;

    /// <summary>Least time between two log lines about the queue's order, which may change with every interval.</summary>
    public const int OverloadLogMs = 10_000;

    /// <summary>Least time between two log lines about jobs that ran for too long: a slow database makes every job one of them.</summary>
    public const int JobTimeoutLogMs = 1000;

    /// <summary>Least time between two looks at a slave's memory; heartbeats, which they come with, may be more frequent.</summary>
    public const int RssPeriodMs = 1000;

    /// <summary>Seconds of a retry hint: less cannot be said in whole ones, and after a minute everything may be otherwise.</summary>
    public const int MinRetryAfterS = 1;

    /// <inheritdoc cref="MinRetryAfterS"/>
    public const int MaxRetryAfterS = 60;

    /// <summary>A retry hint is estimated from the jobs of up to two of these windows: many jobs of most apps, and still recent.</summary>
    public const int SpeedWindowMs = 10_000;

    /// <summary>
    /// Jobs that wait to be run alone: sixteen slaves of 256 jobs each. Further suspects fail as if they may not be run again.
    /// </summary>
    public const int MaxSuspects = 4096;

    /// <summary>Request bytes of them: 256 of the longest that are kept for another run.</summary>
    public const long MaxSuspectBytes = 256L * MaxRetryRequestBytes;

    /// <summary>
    /// How long a slave gets no jobs so that it is empty for a suspect, at first: longer than most jobs. Each time in vain it is twice as
    /// long, up to <see cref="MaxClearingMs"/>.
    /// </summary>
    public const long MinClearingMs = 1000;

    /// <inheritdoc cref="MinClearingMs"/>
    public const long MaxClearingMs = 60_000;

    /// <summary>Failed starts in a row after which an app is broken.</summary>
    public const int FailuresUntilBroken = 3;

    /// <summary>Pause after the first failed start; doubled up to <see cref="MaxRestartPauseMs"/>.</summary>
    public const int FirstRestartPauseMs = 100;

    public const int MaxRestartPauseMs = 30_000;

    /// <summary>
    /// The longest pause after slaves that died young with jobs on them: the jobs may be the cause, and others wait for a slave too.
    /// A start a second is no load, and no long wait.
    /// </summary>
    public const int MaxPauseOfJobsMs = 1000;

    /// <summary>
    /// Slaves of an app that may be starting at a time: loading code takes a core, and more starts than cores only make each of them
    /// slower, until all pass the startup-timeout. Two on one core, since a start waits for files too.
    /// </summary>
    public static readonly int StartsAtOnce = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// The speed by which the pool tells how soon the queue will be empty is that of up to so long: some jobs of most apps, and short
    /// enough to see soon that jobs end no more.
    /// </summary>
    public const int OutlookWindowMs = 500;

    /// <summary>Least time until the pool looks again at a queue that was to be empty soon.</summary>
    public const int MinLookMs = 10;

    /// <summary>
    /// How long the pool waits until it asks again for room that its backend did not have. A slave that ends gives room back and does not
    /// tell other apps; a second is no long wait for a job, and a question each second costs nothing.
    /// </summary>
    public const int RoomPauseMs = 1000;

    /// <summary>Least time between two log lines that the pool has no room: it asks each second, for as long as it lasts.</summary>
    public const int RoomLogMs = 30_000;

    /// <summary>Of a refusal's reason, for the job's record: as much as that has room for.</summary>
    public const int RecordedReasonBytes = Ledger.LedgerLayout.MaxTextBytes;

    /// <summary>Lines of a slave's output kept for its cause of death.</summary>
    public const int LastLines = 20;

    /// <summary>Slave loads that the pool tells apart when it looks for the least busy one.</summary>
    public const int LoadLevels = 1024;
}
