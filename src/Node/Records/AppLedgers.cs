using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.SharedMemory;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Records;

/// <summary>
/// The ledgers of a node's apps. Two engines of an app, one that drains and one that takes over, share one ledger. When a ledger cannot be
/// made, the log has a line about it: the node serves without it.
/// </summary>
internal sealed class AppLedgers(string? folder, ILogger log)
{
    private readonly Dictionary<string, Open> _open = [];
    private readonly Lock _lock = new();

    /// <summary>The ledger of an app. A <see cref="Release"/> undoes each call.</summary>
    public IJobLedger Acquire(AppManifest app)
    {
        if (app.Engine.LedgerJobs == 0)
        {
            return NoLedger.Instance;
        }

        lock (_lock)
        {
            if (!_open.TryGetValue(app.Name, out Open? open))
            {
                if (TryOpen(app) is not { } file)
                {
                    return NoLedger.Instance;
                }

                open = new Open(file, file.Ring(TimeProvider.System));
                _open.Add(app.Name, open);
            }

            open.Users++;
            return open.Ring;
        }
    }

    /// <summary>
    /// The same ledger for another loop of the app, which writes by itself. Valid as long as the ledger of the app's first loop.
    /// </summary>
    /// <param name="app">The app's name.</param>
    /// <param name="shard">The loop's place among the app's loops, from 1.</param>
    /// <param name="lastId">A number above which the loop's numbers are.</param>
    public IJobLedger AcquireShard(string app, int shard, ulong lastId)
    {
        lock (_lock)
        {
            return _open.GetValueOrDefault(app)?.ShardRing(shard, lastId) ?? (IJobLedger)NoLedger.Instance;
        }
    }

    /// <summary>
    /// An engine has ended; on the engine's loop. The last engine closes the file, which stays unless no job was ever written to it.
    /// </summary>
    public void Release(string app, IJobLedger ledger, bool isDeleted)
    {
        lock (_lock)
        {
            if (_open.TryGetValue(app, out Open? open) && ReferenceEquals(open.Ring, ledger) && --open.Users == 0)
            {
                _open.Remove(app);
                open.Stop();
                if (isDeleted)
                {
                    open.File.MarkDeleted();
                }

                if (open.LastId == 0)
                {
                    RemoveEmpty(app, open.File);
                }

                open.File.Dispose();
            }
        }
    }

    /// <summary>The loops have ended: ledgers that an app left open are closed.</summary>
    public void CloseAll()
    {
        lock (_lock)
        {
            foreach (Open open in _open.Values)
            {
                open.Stop();
                open.File.Dispose();
            }

            _open.Clear();
        }
    }

    private void RemoveEmpty(string app, LedgerFile file)
    {
        try
        {
            file.Remove();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            RecordsLog.NotRemoved(log, app, failure.Message);
        }
    }

    private LedgerFile? TryOpen(AppManifest app)
    {
        if (folder is null)
        {
            RecordsLog.NoFolder(log, app.Name);
            return null;
        }

        string path = LedgerFolder.FileOf(folder, app.Name);
        try
        {
            LedgerFolder.Make(folder);
            LedgerFile file = LedgerFile.OpenForNode(path, app.Name, LedgerLayout.RecordsFor(app.Engine.LedgerJobs), out string? setAside);
            if (setAside is not null)
            {
                RecordsLog.SetAside(log, app.Name, path, setAside);
            }

            return file;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            RecordsLog.NoLedger(log, app.Name, failure.Message);
            return null;
        }
    }

    private sealed class Open(LedgerFile file, LedgerRing ring)
    {
        public LedgerFile File { get; } = file;

        /// <summary>The ring of the app's first loop.</summary>
        public LedgerRing Ring { get; } = ring;

        /// <summary>The greatest number in the ledger; once all loops have ended.</summary>
        public ulong LastId => _shards.Values.Append(Ring).Max(one => one.LastId);

        private readonly Dictionary<int, LedgerRing> _shards = []; // the rings of the app's other loops: they write other records

        public int Users { get; set; }

        public LedgerRing ShardRing(int shard, ulong lastId)
        {
            if (!_shards.TryGetValue(shard, out LedgerRing? own))
            {
                own = File.Ring(TimeProvider.System, lastId);
                _shards.Add(shard, own);
            }

            return own;
        }

        public void Stop()
        {
            Ring.Stop();
            foreach (LedgerRing shard in _shards.Values)
            {
                shard.Stop();
            }
        }
    }
}

internal static partial class RecordsLog
{
    [LoggerMessage(560, LogLevel.Warning,
        "{App}: no records of jobs are kept: {Reason}. Choose another ledger folder, or set engine.ledger-jobs to 0")]
    public static partial void NoLedger(ILogger log, string app, string reason);

    [LoggerMessage(561, LogLevel.Warning,
        "{App}: no records of jobs are kept: this machine has no file system in memory at /run, XDG_RUNTIME_DIR or /dev/shm. "
        + "Choose a ledger folder, or set engine.ledger-jobs to 0")]
    public static partial void NoFolder(ILogger log, string app);

    [LoggerMessage(562, LogLevel.Warning, "{App}: the ledger {Path} was set aside as {Path}.aside, and a new one is made: {Reason}")]
    public static partial void SetAside(ILogger log, string app, string path, string reason);

    [LoggerMessage(563, LogLevel.Information, "{App}: the records of its jobs are removed, {SizeBytes} bytes: {Reason}")]
    public static partial void Removed(ILogger log, string app, long sizeBytes, string reason);

    [LoggerMessage(564, LogLevel.Warning, "{App}: records of jobs that are not needed any more cannot be removed: {Reason}")]
    public static partial void NotRemoved(ILogger log, string app, string reason);
}
