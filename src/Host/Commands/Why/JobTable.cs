using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary>Jobs as a list, one line for each.</summary>
internal static class JobTable
{
    public static void Write(IReadOnlyList<(JobRecords From, LedgerEntry Job)> jobs, Screen screen)
    {
        if (jobs.Count > 0)
        {
            JobColumns(screen).Write(jobs, screen);
        }
    }

    /// <summary>The list, with times in the form for this screen.</summary>
    internal static Columns<(JobRecords From, LedgerEntry Job)> JobColumns(Screen screen) => new(
        new("arrived", one => JobWords.Clock(one.Job.Arrived, screen)),
        new("app", one => one.From.App) { Drop = 2, IsSaidOnce = true },
        new("job", one => $"{one.Job.Id}") { IsRight = true },
        new("event", one => one.Job.Event) { Drop = 1, IsSaidOnce = true },
        new("waited", one => When.SpanOrEmpty(one.Job.WaitedNs)) { Drop = 3, IsRight = true },
        new("slave", one => one.Job.Slave ?? "") { Drop = 4 },
        new("first byte", one => When.SpanOrEmpty(one.Job.FirstByteNs)) { Drop = 5, IsRight = true },
        new("total", one => When.SpanOrEmpty(one.Job.EndedNs)) { IsRight = true },
        new("outcome", one => JobWords.Outcome(one.From, one.Job)) { LeastWidth = 9, IsSaidOnce = true },
        new("error", one => JobWords.Error(one.Job)) { IsNote = true });
}
