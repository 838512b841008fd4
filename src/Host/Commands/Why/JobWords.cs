using System.Globalization;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary>A job's record in words.</summary>
internal static class JobWords
{
    public static string Outcome(JobRecords from, LedgerEntry job) => job.Outcome switch
    {
        JobOutcome.Done => "done",
        JobOutcome.Failed => "failed",
        JobOutcome.Refused => "refused",
        JobOutcome.Cancelled => "cancelled",
        _ when from.EndedWithNode(job) => job.Runs == 0 || job.IsPlaced ? "waiting when the node ended" : "running when the node ended",
        _ => from.IsRunning(job) ? "running" : job.IsPlaced ? "placed" : job.Runs == 0 ? "waiting" : "waiting again",
    };

    /// <summary>Where a placed job stands. The record has the slave only before the first run.</summary>
    public static string PlacedOn(LedgerEntry job) => job.Runs == 0 ? $"in the ring of slave {job.Slave}" : "in the ring of a slave";

    /// <summary>"502 slave 3f2a1b2c died: signal 9"; with the category too when it is the app's own.</summary>
    public static string Error(LedgerEntry job)
    {
        string code = job.Category == ErrorCodes.Category ? $"{job.Code}" : $"[{job.Category}, {job.Code}]";
        return job.Outcome is JobOutcome.Open or JobOutcome.Done ? "" : $"{code} {PlainText.OneLine(job.Text)}";
    }

    /// <summary>The time of a job's arrival: to the microsecond, except in a terminal, where the row is short.</summary>
    public static string Clock(DateTimeOffset time, Screen screen) => screen.IsTerminal ? When.Moment(time, screen) : Clock(time);

    public static string Clock(DateTimeOffset time) =>
        time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
}
