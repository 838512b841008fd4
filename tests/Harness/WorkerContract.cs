using Cocaine.Fast.Tools.WorkerCheck;

namespace Cocaine.Fast.Harness;

/// <summary>The contract of a worker with its node, checked as <c>cocaine-fast worker-check</c> does.</summary>
internal static class WorkerContract
{
    public static string Folder(string language) => Path.Combine(Repository.Root, "tests/contract", language);

    /// <summary>Patient: the machine may be busy with something else.</summary>
    public static async Task HoldsAsync(string pipe, params string[] command)
    {
        IReadOnlyList<CheckRow> rows = await RunAsync(new WorkerCheckOptions
        {
            Command = command,
            Pipes = [pipe],
            Patience = TimeSpan.FromSeconds(30),
            LongestSilence = TimeSpan.FromSeconds(25),
        });
        Assert.DoesNotContain(rows, row => row.Outcome == CheckOutcome.Failed);
        Assert.Equal(WorkerChecker.CaseNames, rows.Select(row => row.Case));
        Assert.Equal(pipe == WorkerChecker.Socket ? ["refused pipe"] : [], rows.Where(row => row.Outcome == CheckOutcome.Skipped).Select(row => row.Case));
    }

    /// <summary>On a thread of its own: the checker waits for its worker, and the pool's threads are for those who do not wait.</summary>
    public static Task<IReadOnlyList<CheckRow>> RunAsync(WorkerCheckOptions options) =>
        Task.Factory.StartNew(() => WorkerChecker.Run(options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
