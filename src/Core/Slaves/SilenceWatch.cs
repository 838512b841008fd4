using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Watches a slave's silence: the heartbeat-timeout, and the timeouts of the slave's jobs, which replace the heartbeat-timeout while they
/// run.
/// </summary>
/// <remarks>
/// All times here are the loop's listened time. A node that was stopped has heard no slave, but the slaves were not silent.
/// </remarks>
internal static class SilenceWatch
{
    /// <summary>Time between looks at a slave that is held back for a slow caller.</summary>
    private const long HeldBackLookMs = 1000;

    /// <summary>
    /// The slave's timer is due. The slave is killed when it was silent for too long; otherwise the timer is armed again.
    /// </summary>
    public static void Check(Slave slave, long listenedMs)
    {
        EngineScope scope = slave.Scope;
        long due = slave.LastHeardMs + scope.Settings.HeartbeatTimeoutMs;
        if (listenedMs < due || slave.IsHeldBack)
        {
            long nextMs = listenedMs < due
                ? SilenceLook.NextMs(slave.LastHeardMs, scope.Settings.HeartbeatTimeoutMs, listenedMs) : listenedMs + HeldBackLookMs;
            scope.Loop.Patience.Arm(slave, nextMs);
            return;
        }

        _ = slave.Ahead.TakeBack(); // only jobs that were given to the slave suffer from its silence; the others wait again
        string reason = $"slave {slave.ShortId} was silent for its heartbeat-timeout of {scope.Settings.HeartbeatTimeoutMs} ms";
        long patience = PatienceMs(slave);
        if (listenedMs < patience)
        {
            // The next look is within a heartbeat-timeout: the job that allows a longer silence may have left by then, and others may have
            // come.
            long givenByMs = listenedMs - scope.Settings.HeartbeatTimeoutMs + 1; // silence counts from the moment before a dispatch on
            slave.Channels.FailAll(ErrorCodes.TimeoutError, reason, ErrorCause.Silence,
                job => job.Policy.SilenceTimeoutMs == 0 && job.AwaitedSinceMs <= givenByMs);
            scope.Loop.Patience.Arm(slave, Math.Min(patience, listenedMs + scope.Settings.HeartbeatTimeoutMs));
            return;
        }

        scope.Counters.HeartbeatTimeouts++;
        slave.Channels.FailAll(ErrorCodes.TimeoutError, reason, ErrorCause.Silence);
        slave.KillHung(reason, SlaveEnd.Silent);
    }

    /// <summary>
    /// The time until which the timeouts of its jobs let the slave be silent, ms. A job's own timer fires first; then the job's cancel has
    /// its time.
    /// </summary>
    private static long PatienceMs(Slave slave)
    {
        long until = 0;
        foreach (Job job in slave.Channels.ToList())
        {
            // A job over its job-timeout was no reason for silence, unless its caller set a silence timeout.
            bool gavePatience = !job.RanTooLong || job.Policy.SilenceTimeoutMs > 0;
            until = Math.Max(until, !job.IsAnswered ? PatienceMs(slave, job) : gavePatience ? job.CancelDueMs : 0);
        }

        return until;
    }

    private static long PatienceMs(Slave slave, Job job)
    {
        long timeout = job.Policy.SilenceTimeoutMs;
        long heardMs = Math.Max(slave.LastHeardMs, job.AwaitedSinceMs);
        return timeout == 0 ? 0 : heardMs + timeout + slave.Scope.Settings.TerminationTimeoutMs;
    }
}
