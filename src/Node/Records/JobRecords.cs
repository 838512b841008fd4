using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Node.Records;

/// <summary>The records of one app's jobs at one moment.</summary>
/// <param name="App">The app.</param>
/// <param name="IsNodeRunning">A node has the ledger open.</param>
/// <param name="Header">The header of the file.</param>
/// <param name="Entries">All records, by id.</param>
internal sealed record JobRecords(string App, bool IsNodeRunning, LedgerHeader Header, IReadOnlyList<LedgerEntry> Entries)
{
    /// <summary>Reads the ledgers of a folder, or the ledger of one app.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="app">One app; null for all.</param>
    /// <param name="unread">Gets a line for each ledger of a folder that cannot be read: such a ledger does not hide the others.</param>
    /// <exception cref="IOException">There is no such folder or ledger, or none can be read.</exception>
    public static IReadOnlyList<JobRecords> Read(string folder, string? app, ICollection<string>? unread = null)
    {
        if (!Directory.Exists(folder))
        {
            throw new IOException($"there is no ledger folder {folder}: no node of this user has run an app, or it uses another folder");
        }

        List<JobRecords> all = [];
        List<string> problems = [];
        foreach ((string name, string path) in PathsOf(folder))
        {
            if (app is null || name == app)
            {
                try
                {
                    all.Add(ReadFile(name, path));
                }
                catch (FileNotFoundException)
                {
                    // A node has removed the ledger since: its app is gone.
                }
                catch (IOException problem)
                {
                    problems.Add(problem.Message);
                }
            }
        }

        if (all.Count == 0 && problems.Count > 0)
        {
            throw new IOException(string.Join('\n', problems));
        }

        problems.ForEach(problem => unread?.Add(problem));
        return all.Count > 0 ? all : throw new IOException(
            app is null ? $"there is no ledger in {folder}" : $"there is no ledger of the app {app} in {folder}");
    }

    /// <summary>True for a job that was open when its node ended, so that its caller never got an answer.</summary>
    public bool EndedWithNode(LedgerEntry entry) => entry.Outcome == JobOutcome.Open && (!IsNodeRunning || entry.Id < Header.FirstId);

    /// <summary>
    /// True for a job that a slave of a living node has, as far as the ledger shows: its last run began after its last wait.
    /// </summary>
    public bool IsRunning(LedgerEntry entry) => entry is { Outcome: JobOutcome.Open, DispatchedNs: { } dispatched }
        && dispatched >= (entry.QueuedNs ?? 0) && !EndedWithNode(entry);

    /// <summary>True for a job that waits for a slave of a living node.</summary>
    public bool IsWaiting(LedgerEntry entry) => entry.Outcome == JobOutcome.Open && !IsRunning(entry) && !EndedWithNode(entry);

    private static List<(string App, string Path)> PathsOf(string folder)
    {
        try
        {
            return [.. LedgerFolder.List(folder)];
        }
        catch (UnauthorizedAccessException)
        {
            throw new IOException($"the ledger folder {folder} cannot be read: it is another user's, who alone may");
        }
    }

    private static JobRecords ReadFile(string app, string path)
    {
        try
        {
            using LedgerFile file = LedgerFile.OpenForReading(path);
            bool isHeld = file.IsHeld; // first: a node that ends meanwhile leaves no further job open
            return new JobRecords(app, isHeld, file.Header, file.Reader().ReadAll());
        }
        catch (Exception failure) when (failure is InvalidDataException or UnauthorizedAccessException)
        {
            throw new IOException(failure.Message, failure);
        }
    }
}
