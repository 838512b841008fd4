using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Records;
using Spectre.Console;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary>Jobs as a table, a line each.</summary>
internal static class JobTable
{
    /// <summary>Columns when nobody looks at a terminal: what reads it breaks lines itself.</summary>
    private const int RedirectedWidth = 260;

    public static void Write(IReadOnlyList<(JobRecords From, LedgerEntry Job)> jobs)
    {
        if (jobs.Count == 0)
        {
            return;
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = RedirectedWidth;
        }

        Table table = new Table().Border(TableBorder.Minimal).AddColumns(
            "arrived", "app", "job", "event", "waited", "slave", "first byte", "total", "outcome", "error");
        foreach ((JobRecords from, LedgerEntry job) in jobs)
        {
            string[] cells =
            [
                JobWords.Clock(job.Arrived), from.App, $"{job.Id}", PlainText.OneLine(job.Event), JobWords.Time(job.WaitedNs),
                job.Slave ?? "", JobWords.Time(job.FirstByteNs), JobWords.Time(job.EndedNs), JobWords.Outcome(from, job),
                JobWords.Error(job),
            ];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    }
}
