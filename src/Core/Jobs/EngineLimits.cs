namespace Cocaine.Fast.Core.Jobs;

/// <summary>The engine's bounds that no manifest sets.</summary>
internal static class EngineLimits
{
    /// <summary>Request bytes of one waiting job: one message of the largest size, and its framing.</summary>
    public const int MaxWaitingRequestBytes = (64 << 20) + (64 << 10);

    /// <summary>
    /// Request bytes of a running job that are kept for another run. A job with a longer request runs once: keeping the request would copy
    /// what may be a whole file.
    /// </summary>
    public const int MaxRetryRequestBytes = 1 << 20;

    /// <summary>Backlog to a slave from which on its callers are asked to wait: a quarter of the usual ring.</summary>
    public const int HighBacklogBytes = 256 << 10;

    /// <summary>
    /// The part of a kept request that goes on at once, before the slave has read it, at least: as much as the worker had left as it asked
    /// for more. So the handler has something to read while the next portion comes, and a worker that holds again is over its bound by one.
    /// </summary>
    public const int RequestPortionBytes = Protocol.FlowControl.LowBytes;

    /// <summary>
    /// A portion of a request is what its handler reads in this time, ns, as far as its last hold tells: a quick handler would wait for the
    /// node between small portions. A machine whose cores are all busy lets a thread wait for about as long by itself.
    /// </summary>
    public const long RequestPortionNs = 4_000_000;

    /// <summary>Backlog at which a channel fails when its caller cannot wait: two messages of the largest size.</summary>
    public const long MaxBacklogBytes = 128L << 20;

    /// <summary>
    /// How long the oldest job's wait must be over engine.queue-target before an adaptive queue serves the newest job first. The number is
    /// CoDel's interval (RFC 8289): longer than a burst that clears by itself, shorter than a caller's patience.
    /// </summary>
    public const int QueueIntervalMs = 100;

    /// <summary>Least time between two log lines about the queue's order, which may change in every interval.</summary>
    public const int OverloadLogMs = 10_000;

    /// <summary>
    /// Least time between two log lines about jobs that ran for too long: with a slow database every job may run too long.
    /// </summary>
    public const int JobTimeoutLogMs = 1000;

    /// <summary>Least time between two looks at a slave's memory. Heartbeats trigger the looks, and may be more frequent.</summary>
    public const int RssPeriodMs = 1000;

    /// <summary>
    /// The least seconds of a retry hint, because a hint has whole seconds. The longest is a minute: after that everything may be
    /// different.
    /// </summary>
    public const int MinRetryAfterS = 1;

    /// <inheritdoc cref="MinRetryAfterS"/>
    public const int MaxRetryAfterS = 60;

    /// <summary>
    /// A retry hint is estimated from the jobs of up to two of these windows: for most apps that is many jobs, and still recent.
    /// </summary>
    public const int SpeedWindowMs = 10_000;

    /// <summary>
    /// The most suspects that wait: sixteen slaves of 256 jobs each. Further suspects fail like jobs that may not run again.
    /// </summary>
    public const int MaxSuspects = 4096;

    /// <summary>The most request bytes of waiting suspects: 256 of the longest requests that are kept for another run.</summary>
    public const long MaxSuspectBytes = 256L * MaxRetryRequestBytes;

    /// <summary>
    /// The longest time for which a slave is kept from other jobs for suspects, while others wait: once to become empty, and once while
    /// the suspects run. Longer than most jobs, and than most handlers need to reach the line that kills.
    /// </summary>
    public const long MaxAloneMs = 2000;

    /// <summary>
    /// Runs of a job that do not count, because another job ended them. Each of them has killed a worker by itself, so sixteen of them are
    /// a worker that does not live anyway.
    /// </summary>
    public const int MostSpared = 16;

    /// <summary>
    /// Runs of a job that do not count, because the slave died with several jobs and nobody knows of which. Each of them halves the jobs
    /// beside it: the largest number of suspects is through after thirteen.
    /// </summary>
    public const int MostInCompany = 16;

    /// <summary>Failed starts in a row after which an app is broken.</summary>
    public const int FailuresUntilBroken = 3;

    /// <summary>Pause after the first failed start; the pause doubles up to <see cref="MaxRestartPauseMs"/>.</summary>
    public const int FirstRestartPauseMs = 100;

    public const int MaxRestartPauseMs = 30_000;

    /// <summary>
    /// The longest pause after slaves that died young with jobs on them: the jobs may be the cause, and other jobs wait for a slave too.
    /// One start each second is no load, and no long wait.
    /// </summary>
    public const int MaxPauseOfJobsMs = 1000;

    /// <summary>
    /// Slaves of an app that may be starting at the same time. Loading code takes a core, and more starts than cores only slow each other
    /// down, until all pass the startup-timeout. The least is two, also on one core, since a start waits for files too.
    /// </summary>
    public static readonly int StartsAtOnce = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// The longest time over which the pool measures the rate of ended jobs to tell how soon the queue will be empty. Most apps end some
    /// jobs in it, and it is short enough to notice soon that jobs no longer end.
    /// </summary>
    public const int OutlookWindowMs = 500;

    /// <summary>Least time until the pool looks again at a queue that should be empty soon.</summary>
    public const int MinLookMs = 10;

    /// <summary>
    /// How long the pool waits before it asks again for room that its backend did not have. A slave that ends gives room back and does not
    /// tell other apps. A second is no long wait for a job, and one question each second costs nothing.
    /// </summary>
    public const int RoomPauseMs = 1000;

    /// <summary>
    /// Least time between two log lines that the pool has no room: the pool asks each second, for as long as the lack lasts.
    /// </summary>
    public const int RoomLogMs = 30_000;

    /// <summary>Bytes of a refusal's reason that go into the job's record: as many as the record has room for.</summary>
    public const int RecordedReasonBytes = Ledger.LedgerLayout.MaxTextBytes;

    /// <summary>Lines of a slave's output kept for its cause of death.</summary>
    public const int LastLines = 20;

    /// <summary>
    /// Work that a slave gets ahead of its turn, ns: many times the way of a message to a slave and back, so that a wake-up of the slave
    /// serves many jobs, and shorter than anybody notices who waits behind it.
    /// </summary>
    public const long AheadTargetNs = 500_000;

    /// <summary>
    /// A slave that was quick within this time is bound by its core and not by what its jobs wait for, ns: many turns of a busy machine's
    /// scheduler, and no long wait for a slave where jobs have become slow.
    /// </summary>
    public const long LatelyNs = 100_000_000;

    /// <summary>
    /// A slave that ends nothing for this long, ns, leaves its core to another slave: a machine whose cores are all busy lets a thread wait
    /// for about as long by itself.
    /// </summary>
    public const long CoreKeptNs = 4_000_000;

    /// <summary>
    /// How long it is tried to give jobs to fewer or to more slaves, ns: quick jobs end by the hundred in it, and no caller
    /// notices that it had to wait for it.
    /// </summary>
    public const long TrialNs = 20_000_000;

    /// <summary>Jobs that were given away before a change still end for so long, ns.</summary>
    public const long TrialSettlesNs = 2_000_000;

    /// <summary>How many times more jobs must end for a change to stay: less than that is noise.</summary>
    public const double TrialGain = 1.1;

    /// <summary>Nothing is tried where a slave takes longer than this for a job, ns: the turns that slaves take cost far less.</summary>
    public const long MostTriedNs = 2_000_000;

    /// <summary>Least time between two log lines about changes by trials: there may be one in every second.</summary>
    public const int TrialLogMs = 10_000;

    /// <summary>
    /// The pause after a trial that changes nothing, ns. It doubles, up to <see cref="MostTrialPauseNs"/>, until one changes something: the
    /// first ones may have failed by noise, and the tenth costs next to nothing.
    /// </summary>
    public const long FirstTrialPauseNs = 100_000_000;

    /// <inheritdoc cref="FirstTrialPauseNs"/>
    public const long MostTrialPauseNs = 10_000_000_000;

    /// <summary>Jobs that a slave gets ahead at most: more of them save no more wake-ups.</summary>
    public const int MostAhead = 256;

    /// <summary>
    /// The part of a slave's ring that requests ahead of their turn may fill: the rest of a running request has room beside them.
    /// </summary>
    public const int AheadRingPart = 4;

    /// <summary>
    /// The time after which a placed job is taken back, ms: twice the work that stands before it, when all jobs take as long as before.
    /// </summary>
    public const int MostStandingMs = 1;

    /// <summary>Slaves that are looked at, one after another, for one that takes a job ahead or stands still.</summary>
    public const int SlavesLookedAt = 16;

    /// <summary>
    /// Waiting jobs that are looked at for one with a whole request: as many slow uploads may stand before those that another loop could
    /// run, or that could stand ahead, and a look in each millisecond costs nothing.
    /// </summary>
    public const int RequestsLookedAt = 64;

    /// <summary>
    /// Jobs that stand ahead while an unfinished one is the next, at most: then none is placed until a slave has room for it, since its
    /// caller may wait for the handler's first word. As many as four slaves have ahead at most, so no ring runs empty for it alone.
    /// </summary>
    public const int MostPassed = 4 * MostAhead;

    /// <summary>
    /// Deaths of a slave before it began a job that was the next one on it, until such a death is taken for the job's: a request may end
    /// a worker before its handler begins. Fewer could be an operator who ends some slaves at once.
    /// </summary>
    public const int MostReprieves = 3;

    /// <summary>
    /// Jobs in one slave at the same time that a worker may wish for. When such a slave dies, each of so many jobs is suspected, and they
    /// run in eight rounds at most until the one that kills is alone.
    /// </summary>
    public const int MostWishedConcurrency = 256;

    /// <summary>
    /// How long a slave that was held up gets no jobs unless it shows that it goes on, ns. A slave that waits in its handlers shows
    /// nothing, and is tried again.
    /// </summary>
    public const long HeldUpNs = 10_000_000;

    /// <summary>Slave loads that the pool tells apart when it looks for the least busy one.</summary>
    public const int LoadLevels = 1024;
}
