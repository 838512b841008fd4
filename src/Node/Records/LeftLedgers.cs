using Cocaine.Fast.Transport.SharedMemory;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Records;

/// <summary>
/// Bounds the ledgers of a folder that no node has open, because ledgers take memory. There are two kinds: ledgers of deleted apps, and
/// ledgers whose node has ended and may come back. The oldest of each kind beyond its bound are removed. Several nodes may use the folder:
/// an open ledger is never touched, whoever has it open.
/// </summary>
internal sealed class LeftLedgers(string? folder, ILogger log)
{
    /// <summary>
    /// The most bytes of deleted apps' ledgers, and of those that were set aside: eight of the usual size, enough to ask why a job failed
    /// after somebody has cleaned up.
    /// </summary>
    public const long MaxDeletedBytes = 8 * UsualBytes;

    /// <summary>
    /// The most bytes of apps whose node has ended: 32 of the usual size. A node that runs an app again needs its ledger, for the numbers
    /// of its jobs.
    /// </summary>
    public const long MaxEndedBytes = 32 * UsualBytes;

    /// <summary>
    /// For so long after its last use, a ledger counts as that of a node that is being restarted. Starting a node with many apps takes
    /// seconds; stopping one takes as long as its drain-timeout, usually half a minute.
    /// </summary>
    public static readonly TimeSpan RestartTime = TimeSpan.FromMinutes(10);

    /// <summary>A ledger of 16,384 jobs, with its header.</summary>
    private const long UsualBytes = (4 << 20) + 4096;

    private readonly Lock _lock = new();

    /// <summary>
    /// Removes ledgers over the bounds. The latest of each kind stays, however large it is. A file that cannot be read as a ledger stays
    /// too.
    /// </summary>
    public void Tidy()
    {
        if (folder is null || !Directory.Exists(folder))
        {
            return;
        }

        lock (_lock)
        {
            try
            {
                List<LeftLedger> all = [.. LedgerFolder.List(folder).Select(pair => Look(pair.Path, isAside: false)).OfType<LeftLedger>()];
                all.AddRange(LedgerFolder.ListAside(folder).Select(path => Look(path, isAside: true)).OfType<LeftLedger>());
                RemoveOldest(all.Where(one => one.IsDeleted), MaxDeletedBytes, "the app was deleted, and others were after it");
                long restarting = NsOf(DateTimeOffset.UtcNow - RestartTime);
                RemoveOldest(
                    all.Where(one => !one.IsDeleted && one.LastUsedNs < restarting), MaxEndedBytes,
                    "its node has ended and has not come back for it");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                RecordsLog.NotRemoved(log, folder, failure.Message);
            }
        }
    }

    private static long NsOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>A ledger that nobody has open; null when the file is no ledger, is open, or is gone.</summary>
    private static LeftLedger? Look(string path, bool isAside)
    {
        try
        {
            using LedgerFile file = LedgerFile.OpenForReading(path);
            return file.IsHeld ? null
                : new LeftLedger(file.Header.App, path, file.SizeBytes, isAside || file.Header.IsDeleted, file.LastUsedNs());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    private void RemoveOldest(IEnumerable<LeftLedger> ledgers, long maxBytes, string reason)
    {
        long kept = 0;
        foreach (LeftLedger one in ledgers.OrderByDescending(one => one.LastUsedNs))
        {
            if (kept == 0 || kept + one.SizeBytes <= maxBytes)
            {
                kept += one.SizeBytes;
            }
            else if (LedgerFile.TryRemove(one.Path))
            {
                RecordsLog.Removed(log, one.App, one.SizeBytes, reason);
            }
        }
    }

    private sealed record LeftLedger(string App, string Path, long SizeBytes, bool IsDeleted, long LastUsedNs);
}
