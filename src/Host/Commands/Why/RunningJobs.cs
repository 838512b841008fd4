using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary><c>why --running</c>: the jobs that slaves have now, and the number of jobs that wait for them.</summary>
internal static class RunningJobs
{
    public static int Show(string? folder, string? app, bool json, Screen screen)
    {
        List<string> unread = [];
        IReadOnlyList<JobRecords> all;
        try
        {
            all = JobRecords.Read(
                folder ?? throw new IOException("this machine has no usual ledger folder: name the node's with --folder"), app, unread);
        }
        catch (IOException failure)
        {
            Complaint.Say(failure.Message);
            return ExitCodes.Failed;
        }

        DateTimeOffset now = DateTimeOffset.UtcNow;
        unread.ForEach(Complaint.Say);
        List<(JobRecords From, LedgerEntry Job)> running =
            [.. all.SelectMany(one => one.Entries.Where(one.IsRunning).Select(job => (one, job))).OrderBy(pair => Began(pair.job))];
        if (json)
        {
            JobsAsJson.Write(running);
            return ExitCodes.Ok;
        }

        if (running.Count > 0)
        {
            Table(now).Write(running, screen);
        }

        JobRecords[] living = [.. all.Where(one => one.IsNodeRunning)];
        Array.ForEach(living, one => Console.WriteLine(Summary(one, running.Count(pair => pair.From == one), now)));
        if (living.Length == 0)
        {
            Console.WriteLine("no job is running: no node has an app here");
        }

        return ExitCodes.Ok;
    }

    /// <summary>"echo: 2 jobs are running, 10 wait, the oldest for 3.200 s".</summary>
    private static string Summary(JobRecords from, int running, DateTimeOffset now)
    {
        LedgerEntry[] waiting = [.. from.Entries.Where(from.IsWaiting)];
        string runs = running switch { 0 => "no job is running", 1 => "1 job is running", _ => $"{running} jobs are running" };
        string waits = waiting.Length == 0 ? "none waits"
            : $"{waiting.Length} wait{(waiting.Length == 1 ? "s" : "")}{Placed(waiting.Count(job => job.IsPlaced))}, "
                + $"the oldest for {Since(waiting.Min(job => job.Arrived), now)}";
        return $"{from.App}: {runs}, {waits}";
    }

    private static string Placed(int count) => count == 0 ? "" : $" ({count} of them placed on a slave, not begun)";

    private static Columns<(JobRecords From, LedgerEntry Job)> Table(DateTimeOffset now) => new(
        new("app", one => one.From.App) { Drop = 1, IsSaidOnce = true },
        new("job", one => $"{one.Job.Id}") { IsRight = true },
        new("event", one => one.Job.Event),
        new("slave", one => one.Job.Slave ?? ""),
        new("runs for", one => Since(Began(one.Job), now)) { IsRight = true },
        new("waited", one => When.SpanOrEmpty(one.Job.WaitedNs)) { Drop = 3, IsRight = true },
        new("run", one => $"{one.Job.Runs}") { Drop = 2, IsRight = true });

    private static DateTimeOffset Began(LedgerEntry job) => job.Arrived.AddTicks((job.DispatchedNs ?? 0) / 100);

    private static string Since(DateTimeOffset then, DateTimeOffset now) => When.Span(Math.Max(0, (now - then).TotalNanoseconds));
}
