using Cocaine.Fast.Core.Engine.Recycling;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine.Handling;

/// <summary>
/// The times by which a job must have got somewhere: its wait in the queue, its deadline, its run, its slave's silence, and its leave of
/// the slave.
/// </summary>
internal static class JobBounds
{
    /// <summary>When the nearest bound is due in a state, ms; long.MaxValue when there is none.</summary>
    public static long NextDueMs(AppEngine engine, Job job, JobState state)
    {
        JobPolicy policy = job.Policy;
        long due = policy.DeadlineMs > 0 ? ArrivedMs(job) + policy.DeadlineMs : long.MaxValue;
        if (state == JobState.Queued)
        {
            return engine.Settings.QueueTimeoutMs > 0 ? Math.Min(due, WaitsSinceMs(job) + engine.Settings.QueueTimeoutMs) : due;
        }

        // Both count from the dispatch, which is now.
        long longest = job.Task.JobTimeoutMs;
        due = longest > 0 ? Math.Min(due, engine.Loop.NowMs + longest) : due;
        if (policy.SilenceTimeoutMs == 0)
        {
            return due;
        }

        long listened = engine.Loop.ListenedMs;
        return Math.Min(due, ClockMs(engine, SilenceWatch.NextLookMs(listened, policy.SilenceTimeoutMs, listened)));
    }

    /// <summary>Fails the job when one of its bounds has passed, else arms its timer for the next.</summary>
    public static void Check(AppEngine engine, Job job, long nowMs)
    {
        if (TryExpire(engine, job, nowMs))
        {
            return;
        }

        if (job.State == JobState.Queued)
        {
            engine.ArmTimer(job);
        }
        else if (!engine.RunLimit.TryEnd(job, nowMs))
        {
            CheckSilence(engine, job);
        }
    }

    /// <summary>Answers a job whose deadline or time in the queue has passed; false when neither has.</summary>
    public static bool TryExpire(AppEngine engine, Job job, long nowMs)
    {
        long deadline = job.Policy.DeadlineMs;
        if (deadline > 0 && nowMs >= ArrivedMs(job) + deadline)
        {
            engine.Counters.Deadlines++;
            engine.Fail(job, ErrorCodes.DeadlineError, $"the deadline of {deadline} ms passed while the job was {NameOf(job.State)}");
            return true;
        }

        long limit = engine.Settings.QueueTimeoutMs;
        if (limit > 0 && job.State == JobState.Queued && nowMs >= WaitsSinceMs(job) + limit)
        {
            engine.Counters.QueueTimeouts++;
            string end = job.Runs == 0 ? "never run" : "not run again";
            engine.Fail(job, ErrorCodes.TimeoutError, $"the job waited in the queue for the queue-timeout of {limit} ms and was {end}");
            return true;
        }

        return false;
    }

    /// <summary>When a job that an error of ours has just ended must have left its slave, ms of the loop's listened time.</summary>
    /// <remarks>
    /// After the silence of its slave, or a run over its job-timeout, it has the termination-timeout, as that slave has when it is told to
    /// end. Else it has the heartbeat-timeout: a worker that cannot be interrupted may run its handler to the end, and an app says by
    /// that time for how long its handlers may keep a worker from everything else. One that is over it is not cleaning up, it does not
    /// listen.
    /// </remarks>
    private static long CloseDueMs(AppEngine engine, Job job) => job.CancelDueMs > 0 ? job.CancelDueMs
        : Math.Max(job.AnsweredMs, job.Slave!.Answers.ReleasedMs) + engine.Settings.HeartbeatTimeoutMs;

    /// <summary>Gives a job that an error of ours has just ended its time to leave its slave.</summary>
    public static void ArmClose(AppEngine engine, Job job) =>
        engine.Loop.Timers.Arm(job, ClockMs(engine, CloseDueMs(engine, job)));

    /// <summary>The time of an answered job to leave its slave may be over.</summary>
    public static void CheckClosed(AppEngine engine, Job job)
    {
        Slave slave = job.Slave!;
        long listenedMs = engine.Loop.ListenedMs;
        if (listenedMs < job.CancelDueMs)
        {
            ArmClose(engine, job);
            return;
        }

        if (job.RanTooLong && slave.Answers.IsHeldBack)
        {
            job.CancelDueMs = listenedMs + engine.Settings.TerminationTimeoutMs; // nobody reads whether it has ended the job
            ArmClose(engine, job);
            return;
        }

        if (job.CancelDueMs > 0 && (slave.IsEnding || !RunLimit.LeavesOthers(slave, job)))
        {
            slave.KillHung(
                $"job {job.Id} did not answer its cancel within the termination-timeout of {engine.Settings.TerminationTimeoutMs} ms");
            return;
        }

        if (slave.IsEnding)
        {
            return; // the job ends with it
        }

        // A slave that is held back for a slow caller may have closed the channel long ago: nobody reads it.
        long due = job.RanTooLong ? listenedMs : slave.Answers.IsHeldBack ? listenedMs + engine.Settings.HeartbeatTimeoutMs
            : CloseDueMs(engine, job);
        if (listenedMs < due)
        {
            engine.Loop.Timers.Arm(job, ClockMs(engine, due));
            return;
        }

        RecycleLog.Abandons(engine.Log, engine.Name, job.Id, JobNames.EventOf(job), listenedMs - job.AnsweredMs, slave.ShortId,
            slave.Channels.Abandoned + 1, engine.Settings.Concurrency);
        slave.Abandon(job);
    }

    private static void CheckSilence(AppEngine engine, Job job)
    {
        JobPolicy policy = job.Policy;
        long silence = policy.SilenceTimeoutMs;
        // A slave that is held back for a slow caller cannot be heard: that is not its silence.
        long listenedMs = engine.Loop.ListenedMs;
        long heardMs = job.Slave!.Answers.IsHeldBack ? listenedMs : Math.Max(job.Slave.LastHeardMs, job.AwaitedSinceMs);
        if (silence > 0 && listenedMs >= heardMs + silence)
        {
            engine.Counters.SilenceTimeouts++;
            job.CancelDueMs = listenedMs + engine.Settings.TerminationTimeoutMs;
            engine.Fail(job, ErrorCodes.TimeoutError, $"slave {job.Slave.ShortId} was silent for the job's timeout of {silence} ms");
            return;
        }

        long due = policy.DeadlineMs > 0 ? ArrivedMs(job) + policy.DeadlineMs : long.MaxValue;
        if (RunLimit.DueMs(job) is { } runDue)
        {
            due = Math.Min(due, ClockMs(engine, runDue));
        }

        if (silence > 0)
        {
            due = Math.Min(due, ClockMs(engine, SilenceWatch.NextLookMs(heardMs, silence, listenedMs)));
        }

        if (due != long.MaxValue)
        {
            engine.Loop.Timers.Arm(job, due);
        }
    }

    /// <summary>The earliest time by the clock at which the loop can have listened until then.</summary>
    private static long ClockMs(AppEngine engine, long listenedMs) => engine.Loop.NowMs + (listenedMs - engine.Loop.ListenedMs);

    private static long WaitsSinceMs(Job job) => job.WaitsSinceTicks / 1_000_000;

    private static long ArrivedMs(Job job) => job.ArrivedTicks / 1_000_000;

    private static string NameOf(JobState state) => state == JobState.Queued ? "waiting in the queue" : "running";
}
