using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// Watches the bounds of a job's times: its wait in the queue, its deadline, its run, its slave's silence, and its leave of the slave.
/// </summary>
internal sealed class JobBounds(EngineScope scope, SlavePool pool, RunLimit runLimit)
{
    private readonly List<Job> _late = []; // came back to the queue when their time was up; some may have left it since

    /// <summary>Arms the job's timer for the nearest of its bounds in its state.</summary>
    public void Arm(Job job) => Arm(job, job.State);

    /// <summary>Arms the job's timer for the nearest of its bounds in the state that the job is about to have.</summary>
    public void Arm(Job job, JobState state)
    {
        long due = NextDueMs(job, state);
        if (due != long.MaxValue)
        {
            scope.Loop.Timers.Arm(job, due);
            if (state == JobState.Queued && due <= scope.Loop.NowMs)
            {
                _late.Add(job);
            }
        }
        else if (job.IsArmed)
        {
            scope.Loop.Timers.Cancel(job);
        }
    }

    /// <summary>
    /// Answers the jobs that came back to the queue when their time was up, which their timers would do a tick later. Called when all have
    /// been taken back, because callers hear of it.
    /// </summary>
    public void ExpireLate()
    {
        while (_late.Count > 0)
        {
            Job job = _late[^1];
            _late.RemoveAt(_late.Count - 1);
            if (job.State == JobState.Queued)
            {
                TryExpire(job, scope.Loop.NowMs);
            }
        }
    }

    /// <summary>The nearest of the job's bounds is due.</summary>
    public void OnDue(Job job, long nowMs)
    {
        switch (job.State)
        {
            case JobState.Done or JobState.Failed:
                CheckClosed(job);
                return;
            case JobState.Queued or JobState.Running or JobState.Streaming:
                Check(job, nowMs);
                return;
            case JobState.Away when !TryExpire(job, nowMs):
                Arm(job); // its other bounds are watched where it runs
                return;
            case JobState.Placed:
                CheckPlaced(job, nowMs);
                return;
        }
    }

    /// <summary>A bound of a placed job is due: first it is settled whether the job waits or runs.</summary>
    private void CheckPlaced(Job job, long nowMs)
    {
        Slave slave = job.Slave!;
        int taken = slave.Ahead.TakeBack(job);
        if (job.State == JobState.Placed)
        {
            slave.Ahead.Begin(job);
        }

        Check(job, nowMs);
        if (taken > 0)
        {
            pool.OnTakenBack();
        }
    }

    /// <summary>The time at which the nearest bound is due in a state, ms; long.MaxValue when there is none.</summary>
    private long NextDueMs(Job job, JobState state)
    {
        JobPolicy policy = job.Policy;
        long due = policy.DeadlineMs > 0 ? ArrivedMs(job) + policy.DeadlineMs : long.MaxValue;
        if (state == JobState.Queued)
        {
            return scope.Settings.QueueTimeoutMs > 0 ? Math.Min(due, WaitsSinceMs(job) + scope.Settings.QueueTimeoutMs) : due;
        }

        if (state == JobState.Away)
        {
            return due;
        }

        // Both times count from the dispatch, which is now.
        long longest = job.Task.JobTimeoutMs;
        due = longest > 0 ? Math.Min(due, Clock.CeilMsOf(scope.Loop.NowNs) + longest) : due;
        if (policy.SilenceTimeoutMs == 0)
        {
            return due;
        }

        long listened = scope.Loop.ListenedMs;
        return Math.Min(due, ClockMs(SilenceLook.NextMs(listened, policy.SilenceTimeoutMs, listened)));
    }

    /// <summary>Fails the job when one of its bounds has passed; otherwise arms its timer for the next bound.</summary>
    private void Check(Job job, long nowMs)
    {
        if (TryExpire(job, nowMs))
        {
            return;
        }

        if (job.State == JobState.Queued)
        {
            Arm(job);
        }
        else if (!runLimit.TryEnd(job, nowMs))
        {
            CheckSilence(job);
        }
    }

    /// <summary>Answers a job whose deadline or time in the queue has passed; false when neither has.</summary>
    public bool TryExpire(Job job, long nowMs)
    {
        long deadline = job.Policy.DeadlineMs;
        if (deadline > 0 && nowMs >= ArrivedMs(job) + deadline)
        {
            scope.Counters.Deadlines++;
            job.Engine.Fail(
                job, ErrorCodes.DeadlineError, $"the deadline of {deadline} ms passed while the job was {NameOf(job.State)}",
                cause: ErrorCause.Deadline);
            return true;
        }

        long limit = scope.Settings.QueueTimeoutMs;
        if (limit > 0 && job.State == JobState.Queued && nowMs >= WaitsSinceMs(job) + limit)
        {
            scope.Counters.QueueTimeouts++;
            string end = job.Runs == 0 ? "never run" : "not run again";
            job.Engine.Fail(job, ErrorCodes.TimeoutError, $"the job waited in the queue for the queue-timeout of {limit} ms and was {end}");
            return true;
        }

        return false;
    }

    /// <summary>
    /// The time by which a job that the node has just answered with an error must have left its slave, ms of the loop's listened time.
    /// </summary>
    /// <remarks>
    /// After the silence of its slave, or after a run over its job-timeout, the job has the termination-timeout, like a slave that is told
    /// to end. In the other cases the job has the heartbeat-timeout: a worker that cannot be interrupted may run its handler to the end,
    /// and by the heartbeat-timeout an app says how long its handlers may keep a worker from everything else. A job over that time is not
    /// cleaning up: it ignores the cancel.
    /// </remarks>
    private long CloseDueMs(Job job) => job.CancelDueMs > 0 ? job.CancelDueMs
        : Math.Max(job.AnsweredMs, job.Slave!.ReleasedMs) + scope.Settings.HeartbeatTimeoutMs;

    /// <summary>Gives a job that the node has just answered with an error its time to leave its slave.</summary>
    public void ArmClose(Job job) =>
        scope.Loop.Timers.Arm(job, ClockMs(CloseDueMs(job)));

    /// <summary>The time that an answered job has to leave its slave may be over.</summary>
    private void CheckClosed(Job job)
    {
        Slave slave = job.Slave!;
        long listenedMs = scope.Loop.ListenedMs;
        if (listenedMs < job.CancelDueMs)
        {
            ArmClose(job);
            return;
        }

        if (job.RanTooLong && slave.IsHeldBack)
        {
            job.CancelDueMs = listenedMs + scope.Settings.TerminationTimeoutMs; // not read: the end of the job cannot be seen
            ArmClose(job);
            return;
        }

        if (job.CancelDueMs > 0 && (slave.IsEnding || !RunLimit.LeavesOthers(slave, job)))
        {
            slave.KillHung(
                $"job {job.Id} did not answer its cancel within the termination-timeout of {scope.Settings.TerminationTimeoutMs} ms",
                SlaveEnd.Hung);
            return;
        }

        if (slave.IsEnding)
        {
            return; // the job ends with the slave
        }

        // A slave that is held back for a slow caller may have closed the channel long ago, because the node does not read from it.
        long due = job.RanTooLong ? listenedMs : slave.IsHeldBack ? listenedMs + scope.Settings.HeartbeatTimeoutMs
            : CloseDueMs(job);
        if (listenedMs < due)
        {
            scope.Loop.Timers.Arm(job, ClockMs(due));
            return;
        }

        RecycleLog.Abandons(scope.Log, scope.Name, job.Id, JobNames.EventOf(job), listenedMs - job.AnsweredMs, slave.ShortId,
            slave.Channels.Abandoned + 1, scope.Concurrency);
        slave.Abandon(job);
    }

    private void CheckSilence(Job job)
    {
        JobPolicy policy = job.Policy;
        Slave slave = job.Slave!;
        long silence = policy.SilenceTimeoutMs;
        // A slave that is held back for a slow caller may not speak: this is not its silence, nor the job's.
        long listenedMs = scope.Loop.ListenedMs;
        long heardMs = slave.IsHeldBack || job.AnswerHeld ? listenedMs : Math.Max(slave.LastHeardMs, job.AwaitedSinceMs);
        if (silence > 0 && listenedMs >= heardMs + silence)
        {
            scope.Counters.SilenceTimeouts++;
            job.CancelDueMs = listenedMs + scope.Settings.TerminationTimeoutMs;
            job.Engine.Fail(
                job, ErrorCodes.TimeoutError, $"slave {slave.ShortId} was silent for the job's timeout of {silence} ms",
                cause: ErrorCause.Silence);
            return;
        }

        long due = policy.DeadlineMs > 0 ? ArrivedMs(job) + policy.DeadlineMs : long.MaxValue;
        if (RunLimit.DueMs(job) is { } runDue)
        {
            due = Math.Min(due, ClockMs(runDue));
        }

        if (silence > 0)
        {
            due = Math.Min(due, ClockMs(SilenceLook.NextMs(heardMs, silence, listenedMs)));
        }

        if (due != long.MaxValue)
        {
            scope.Loop.Timers.Arm(job, due);
        }
    }

    /// <summary>The earliest clock time at which the loop can have listened until then.</summary>
    private long ClockMs(long listenedMs) => scope.Loop.NowMs + (listenedMs - scope.Loop.ListenedMs);

    private static long WaitsSinceMs(Job job) => Clock.CeilMsOf(job.WaitsSinceNs);

    private static long ArrivedMs(Job job) => Clock.CeilMsOf(job.ArrivedNs);

    private static string NameOf(JobState state) => state == JobState.Queued ? "waiting in the queue" : "running";
}
