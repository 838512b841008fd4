using System.CommandLine;
using System.CommandLine.Parsing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary><c>cocaine-fast why JOB|--last-failed|--slow|--running</c></summary>
internal static class WhyCommand
{
    private const int DefaultSlow = 10;

    public static Command Create()
    {
        Argument<ulong?> job = new("job") { Description = "The job's id, from the error answer", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> app = new("--app") { Description = "The app; without it, all apps of the folder" };
        Option<int?> failed = new("--last-failed")
        {
            Description = "The last N jobs (1) that failed, were refused, or ended with their node",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<int?> slow = new("--slow")
        {
            Description = $"The N jobs ({DefaultSlow}) that took longest",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> running = new("--running") { Description = "The running jobs, the longest first, and the number of waiting jobs" };
        Option<string?> folder = new("--folder") { Description = "The node's ledger folder, when it is not the usual one" };
        Option<bool> wide = Control.AppViews.Wide();
        Option<bool> json = new("--json") { Description = "Print JSON, a list of jobs" };
        Command command = new(
            "why",
            "Show the history of a job: its arrival, its wait, its slave, its outcome and error.\n"
            + "Works while the node runs, and after it has stopped or was killed.\n\nExamples:\n"
            + "  cocaine-fast why 4711 --app echo\n  cocaine-fast why --last-failed 20\n"
            + "  cocaine-fast why --running")
        {
            job, app, failed, slow, running, folder, wide, json,
        };
        command.Check(parsed =>
        {
            bool isJob = parsed.GetValue(job) is not null, isFailed = parsed.GetResult(failed) is not null;
            bool isSlow = parsed.GetResult(slow) is not null, isRunning = parsed.GetValue(running);
            if ((isJob ? 1 : 0) + (isFailed ? 1 : 0) + (isSlow ? 1 : 0) + (isRunning ? 1 : 0) != 1)
            {
                return "say which jobs: an id, --last-failed, --slow or --running";
            }

            return (isFailed && parsed.GetValue(failed) is < 1) || (isSlow && parsed.GetValue(slow) is < 1)
                ? "the number of jobs is 1 or more" : null;
        });
        command.SetAction(parsed =>
        {
            string? at = parsed.GetValue(folder) ?? LedgerFolder.Default();
            Screen screen = Screen.Current.Wide(parsed.GetValue(wide));
            return parsed.GetValue(running)
                ? RunningJobs.Show(at, parsed.GetValue(app), parsed.GetValue(json), screen)
                : Run(at, parsed.GetValue(app), parsed.GetValue(json), screen, NoneOf(parsed.GetValue(job), parsed.GetResult(slow)),
                    all => parsed.GetValue(job) is { } id ? WithId(all, id)
                        : parsed.GetResult(slow) is not null ? Slowest(all, parsed.GetValue(slow) ?? DefaultSlow)
                        : LastFailed(all, parsed.GetValue(failed) ?? 1));
        });
        return command;
    }

    /// <summary>The text for an empty list; null for a job that the user named, which should be there.</summary>
    private static string? NoneOf(ulong? job, SymbolResult? slow) =>
        job is not null ? null : slow is not null ? "no job has ended" : "no failed jobs";

    private static int Run(
        string? folder, string? app, bool json, Screen screen, string? none,
        Func<IReadOnlyList<JobRecords>, List<(JobRecords From, LedgerEntry Job)>> choose)
    {
        List<(JobRecords From, LedgerEntry Job)> chosen;
        IReadOnlyList<JobRecords> all;
        List<string> unread = [];
        try
        {
            all = JobRecords.Read(
                folder ?? throw new IOException("this machine has no usual ledger folder: name the node's with --folder"), app, unread);
            chosen = choose(all);
        }
        catch (IOException failure)
        {
            Complaint.Say(failure.Message);
            return ExitCodes.Failed;
        }

        unread.ForEach(Complaint.Say);
        if (json)
        {
            JobsAsJson.Write(chosen);
        }
        else if (chosen.Count == 1)
        {
            JobTimeline.Write(chosen[0].From, chosen[0].Job);
        }
        else if (chosen.Count > 0)
        {
            JobTable.Write(chosen, screen);
        }

        if (chosen.Count == 0 && none is not null && unread.Count == 0)
        {
            Complaint.Say(none); // an empty list is an answer
        }
        else if (chosen.Count == 0)
        {
            all.ToList().ForEach(one => Complaint.Say(RangeOf(one)));
            return ExitCodes.Failed;
        }

        return ExitCodes.Ok;
    }

    private static List<(JobRecords From, LedgerEntry Job)> WithId(IReadOnlyList<JobRecords> all, ulong id) =>
        [.. all.SelectMany(one => one.Entries.Where(job => job.Id == id).Select(job => (one, job)))];

    private static List<(JobRecords From, LedgerEntry Job)> Slowest(IReadOnlyList<JobRecords> all, int count) =>
        [.. all.SelectMany(one => one.Entries.Where(job => job.EndedNs is not null).Select(job => (one, job)))
            .OrderByDescending(pair => pair.job.EndedNs).Take(count)];

    private static List<(JobRecords From, LedgerEntry Job)> LastFailed(IReadOnlyList<JobRecords> all, int count) =>
        [.. all.SelectMany(one => one.Entries.Where(job => IsFailure(one, job)).Select(job => (one, job)))
            .OrderByDescending(pair => pair.job.Arrived).ThenByDescending(pair => pair.job.Id).Take(count)];

    private static bool IsFailure(JobRecords from, LedgerEntry job) =>
        job.Outcome is JobOutcome.Failed or JobOutcome.Refused || from.EndedWithNode(job);

    private static string RangeOf(JobRecords one) => one.Entries.Count == 0
        ? $"{one.App}: no such job: no job has come yet"
        : $"{one.App}: no such job: the ledger has {one.Entries.Count} jobs, from {one.Entries[0].Id} to {one.Entries[^1].Id}, "
            + $"and keeps the latest {one.Header.Records}";
}
