using System.Collections.Concurrent;
using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>
/// The node's quarantine. An engine passes a job on its loop, where the store only copies it; a thread of the store writes it. Jobs can be
/// listed, shown, run again and forgotten from any thread.
/// </summary>
internal sealed class QuarantineStore : IQuarantineControl
{
    private readonly QuarantineShelf _shelf;
    private readonly QuarantineSeal _seal;
    private readonly Func<string, RunningApp?> _findApp;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly BlockingCollection<(QuarantineEntry Job, byte[] Bytes)> _pending = new(QuarantineLimits.MaxPendingJobs);
    private readonly ConcurrentDictionary<(string App, ulong JobId), bool> _replays = [];
    private readonly Thread _writer; // a thread of its own, since a full thread pool must not keep jobs from the disk
    private long _pendingBytes;

    /// <param name="stateDirectory">The node's state folder; null = jobs are kept in memory.</param>
    /// <param name="findApp">A running app by its name.</param>
    /// <param name="seal">Seals jobs on the disk.</param>
    /// <param name="log">The node's log.</param>
    /// <param name="clock">The wall clock.</param>
    public QuarantineStore(
        string? stateDirectory, Func<string, RunningApp?> findApp, QuarantineSeal seal, ILogger log, TimeProvider clock)
    {
        _seal = seal;
        _shelf = new QuarantineShelf(stateDirectory is null ? null : Path.GetFullPath(Path.Combine(stateDirectory, "quarantine")), log);
        _findApp = findApp;
        _log = log;
        _clock = clock;
        IsInMemory = stateDirectory is null;
        _writer = new Thread(WriteAll) { Name = "quarantine", IsBackground = true };
        _writer.Start();
    }

    /// <summary>The kept jobs end with the node.</summary>
    public bool IsInMemory { get; }

    /// <summary>The quarantine of one app, for its engines.</summary>
    public IQuarantine For(string app) => new AppQuarantine(this, app);

    /// <inheritdoc/>
    public IReadOnlyList<QuarantineEntry> List(string? app) => _shelf.List(app);

    /// <inheritdoc/>
    public string? Show(string app, string id)
    {
        StoredJob? job = Read(app, id);
        return job is null ? null : QuarantineView.Write(job);
    }

    /// <inheritdoc/>
    public async Task<bool> ReplayAsync(string app, string id, CancellationToken cancellation) =>
        await ReplayForAnswerAsync(app, id, cancellation) is not null;

    /// <summary>
    /// Runs a job again like <see cref="ReplayAsync"/>, and returns the chunks of the answer; null when there is no such job.
    /// </summary>
    /// <exception cref="NodeException">The job failed again or cannot run again, or the app does not run.</exception>
    public async Task<IReadOnlyList<byte[]>?> ReplayForAnswerAsync(string app, string id, CancellationToken cancellation)
    {
        if (Read(app, id) is not { } job)
        {
            return null;
        }

        if (!job.IsWhole)
        {
            throw new NodeException($"the request of {id} was not kept whole: it cannot be run again");
        }

        RunningApp running = _findApp(app) ?? throw new NodeException($"the app {app} does not run here");
        Replay replay = new(running, job, jobId => _replays.TryAdd((app, jobId), true), cancellation);
        try
        {
            IReadOnlyList<byte[]> answer = await replay.RunAsync();
            _shelf.Drop(app, id);
            QuarantineLog.Replayed(_log, app, id, replay.JobId);
            return answer;
        }
        finally
        {
            _replays.TryRemove((app, replay.JobId), out _);
        }
    }

    /// <inheritdoc/>
    public bool Drop(string app, string id) => _shelf.Drop(app, id);

    /// <summary>The node ends: jobs on their way to the disk are written, within a bound.</summary>
    public void Close()
    {
        _pending.CompleteAdding();
        if (!_writer.Join(QuarantineLimits.CloseTimeoutMs))
        {
            QuarantineLog.NotFlushed(_log, _pending.Count);
        }
    }

    private StoredJob? Read(string app, string id)
    {
        try
        {
            return _shelf.Take(app, id) is { } job ? _seal.Open(job) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the quarantined job {id} of {app} cannot be read: {failure.Message}", failure);
        }
    }

    private void Keep(string app, in QuarantinedJob job)
    {
        if (_replays.ContainsKey((app, job.JobId)))
        {
            return; // the job is there
        }

        DateTimeOffset now = _clock.GetUtcNow();
        string id = QuarantineFile.IdOf(now, job.JobId);
        long size = job.Request.SizeBytes;
        string problem = "the disk is too slow for the jobs that are on their way there";
        if (Interlocked.Add(ref _pendingBytes, size) <= QuarantineLimits.MaxPendingBytes)
        {
            QuarantinedJob kept = job with { Headers = HeaderSet.WithoutSecrets(job.Headers, _seal.SecretHeaders()) };
            byte[] bytes = QuarantineFile.Write(id, app, now, in kept);
            QuarantineEntry listed = new(
                id, app, Encoding.UTF8.GetString(job.Event), now, job.Deaths.Count > 0 ? job.Deaths[^1].Cause : "", PayloadBytes(in job));
            Interlocked.Add(ref _pendingBytes, bytes.Length - size);
            size = bytes.Length;
            if (TryAdd((listed, bytes)))
            {
                return; // the writer takes the bytes off the count
            }

            problem = _pending.IsAddingCompleted ? "the node ends" : problem;
        }

        Interlocked.Add(ref _pendingBytes, -size);
        QuarantineLog.NotKept(_log, app, id, problem);
    }

    private static long PayloadBytes(in QuarantinedJob job)
    {
        long bytes = 0;
        foreach (Payload chunk in job.Request)
        {
            bytes += chunk.Length;
        }

        return bytes;
    }

    private bool TryAdd((QuarantineEntry Job, byte[] Bytes) item)
    {
        try
        {
            return !_pending.IsAddingCompleted && _pending.TryAdd(item);
        }
        catch (InvalidOperationException)
        {
            return false; // the store was closed meanwhile
        }
    }

    private void WriteAll()
    {
        foreach ((QuarantineEntry job, byte[] bytes) in _pending.GetConsumingEnumerable())
        {
            try
            {
                _shelf.Put(job, IsInMemory ? bytes : _seal.Seal(bytes));
                QuarantineLog.Kept(_log, job.App, job.Id, job.Event, job.Cause, IsInMemory ? "memory" : "the state folder");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                QuarantineLog.NotKept(_log, job.App, job.Id, failure.Message);
            }

            Interlocked.Add(ref _pendingBytes, -bytes.Length);
        }
    }

    private sealed class AppQuarantine(QuarantineStore store, string app) : IQuarantine
    {
        public void Keep(in QuarantinedJob job) => store.Keep(app, in job);
    }
}
