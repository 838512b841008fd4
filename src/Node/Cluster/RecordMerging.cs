using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>Keeps the records of the disk and of the engine together for one session.</summary>
/// <param name="session">The session.</param>
/// <param name="store">The disk.</param>
/// <param name="onChange">Called when records on the disk have changed.</param>
/// <param name="log">The node's log.</param>
internal sealed class RecordMerging(NatsSession session, RecordStore store, Action onChange, ILogger log)
{
    /// <summary>How often the whole is compared, when nothing is told.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>How long the engine may take to tell all records: 4096 of them are some hundred MB at the very most.</summary>
    private static readonly TimeSpan WholeLimit = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _wake = new(0);

    /// <summary>The records in this session.</summary>
    public RecordSync Records { get; } = new(session, store, note =>
    {
        if (note.Kept is { } file)
        {
            ClusterLog.Conflict(log, note.App, file);
        }
        else if (note.Step == MergeStep.KeepHere)
        {
            ClusterLog.HeldHere(log, note.App);
        }
        else
        {
            ClusterLog.PutBack(log, note.App);
        }
    });

    /// <summary>Hears all records, and takes those that are younger in the engine.</summary>
    /// <exception cref="TimeoutException">The engine does not tell them.</exception>
    public async Task BeginAsync()
    {
        TaskCompletionSource whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Records.WatchAsync(() => _wake.Release(), whole.SetResult); // does not throw; a fault ends the session
        await Task.WhenAny(whole.Task, session.Ended).WaitAsync(WholeLimit, NodeClock.Instance);
        await MergeAsync(putsBack: false);
    }

    /// <summary>Merges at each change, and everything from time to time, until the session ends.</summary>
    public async Task RunAsync()
    {
        // Nodes that come back with their engine put records back a little apart: mostly the first one writes, and the others find it done.
        long nextMs = Environment.TickCount64 + Random.Shared.Next(300, 800);
        while (!session.Ended.IsCompleted)
        {
            int waitMs = (int)Math.Max(0, nextMs - Environment.TickCount64);
            await Task.WhenAny(_wake.WaitAsync(waitMs), session.Ended);
            while (_wake.CurrentCount > 0)
            {
                await _wake.WaitAsync();
            }

            bool isWhole = Environment.TickCount64 >= nextMs;
            nextMs = isWhole ? Environment.TickCount64 + (long)Period.TotalMilliseconds : nextMs;
            await MergeAsync(putsBack: isWhole);
        }
    }

    private async Task MergeAsync(bool putsBack)
    {
        try
        {
            if (await Records.MergeAsync(putsBack))
            {
                onChange();
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            ClusterLog.RecordsFailed(log, failure.Message);
        }
    }
}
