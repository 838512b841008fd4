using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Peers;

/// <summary>
/// Writes records until it is killed, as fast as it can. What a record says follows from its id, so that a reader can tell a whole one
/// from a mixture: times are the id times ten and a bit, slave and code are the id, and the names hold it.
/// </summary>
internal static class LedgerWriter
{
    /// <summary>Jobs that are open at once: the stages of different jobs are interleaved.</summary>
    private const int Open = 8;

    public static int Run(string path)
    {
        using LedgerFile file = LedgerFile.OpenForNode(path, "app", LedgerLayout.MinRecords, out _);
        LedgerRing ring = file.Ring(TimeProvider.System);
        Console.WriteLine("ready");
        byte[] name = new byte[16];
        for (ulong id = ring.LastId + 1; ; id++)
        {
            Encoding.ASCII.GetBytes($"{id:d16}", name);
            ring.Arrived(id, TicksOf(id), name, name);
            ring.Queued(id, TicksOf(id) + 1);
            ring.Dispatched(id, TicksOf(id) + 2, (uint)id, 1, -1);
            if (id > Open)
            {
                ulong old = id - Open;
                Encoding.ASCII.GetBytes($"{old:d16}", name);
                ring.FirstByte(old, TicksOf(old) + 3);
                ring.Ended(old, TicksOf(old) + 4, JobOutcome.Failed, (int)old, (int)old, name);
            }
        }
    }

    private static long TicksOf(ulong id) => (long)id * 10;
}
