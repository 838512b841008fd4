using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The watch over a slave's silence: its heartbeat-timeout, and the timeouts of its jobs, which they have in its place.</summary>
/// <remarks>
/// All of its times are the loop's listened time: a node that was stopped has heard no slave, and that is not the slaves' silence.
/// </remarks>
internal static class SilenceWatch
{
    /// <summary>
    /// When a silence is looked at next: after three quarters of the timeout, and at its end. The loop sees that it was stopped when it
    /// wakes later than it meant to. So a stop before the first look is not counted, and after it there is a quarter of the timeout, in
    /// which a slave beats, that the loop has listened for sure.
    /// </summary>
    public static long NextLookMs(long heardMs, long timeoutMs, long listenedMs)
    {
        long look = heardMs + timeoutMs - (timeoutMs / 4);
        return listenedMs < look ? look : heardMs + timeoutMs;
    }

    /// <inheritdoc cref="NextLookMs(long, long, long)"/>
    public static long NextLookMs(Slave slave) =>
        NextLookMs(slave.LastHeardMs, slave.Scope.Settings.HeartbeatTimeoutMs, slave.Scope.Loop.ListenedMs);

    /// <summary>The slave's timer is due: it is killed when it was silent for too long, else the timer is armed again.</summary>
    public static void Check(Slave slave, long listenedMs)
    {
        EngineScope scope = slave.Scope;
        long due = slave.LastHeardMs + scope.Settings.HeartbeatTimeoutMs;
        if (listenedMs < due || slave.IsHeldBack)
        {
            scope.Loop.Patience.Arm(slave, listenedMs < due ? NextLookMs(slave) : listenedMs + 1000);
            return;
        }

        string reason = $"slave {slave.ShortId} was silent for its heartbeat-timeout of {scope.Settings.HeartbeatTimeoutMs} ms";
        long patience = PatienceMs(slave);
        if (listenedMs < patience)
        {
            // Looked at again within a heartbeat-timeout: the job that may be silent for longer may have left by then, and others come.
            long givenByMs = listenedMs - scope.Settings.HeartbeatTimeoutMs + 1; // silence counts from the moment before a dispatch on
            slave.Channels.FailAll(ErrorCodes.TimeoutError, reason,
                job => job.Policy.SilenceTimeoutMs == 0 && job.AwaitedSinceMs <= givenByMs);
            scope.Loop.Patience.Arm(slave, Math.Min(patience, listenedMs + scope.Settings.HeartbeatTimeoutMs));
            return;
        }

        scope.Counters.HeartbeatTimeouts++;
        slave.Channels.FailAll(ErrorCodes.TimeoutError, reason);
        slave.KillHung(reason);
    }

    /// <summary>
    /// Until when the timeouts of its jobs let it be silent, ms: a job's own timer is first, then its cancel has its time.
    /// </summary>
    private static long PatienceMs(Slave slave)
    {
        long until = 0;
        foreach (Job job in slave.Channels.ToList())
        {
            // A job over its job-timeout was no reason for silence, unless its caller made it one.
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
