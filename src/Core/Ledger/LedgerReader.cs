using System.Runtime.InteropServices;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>Reads the records of a ledger, while a node writes it or after it was killed. The orderings are explained at
/// <see cref="LedgerRing"/>.</summary>
/// <remarks>
/// Safety: the memory is a mapped file whose header was checked against its size, and it outlives the use of this object. Another process
/// writes the memory, so the reader believes its content only as far as <see cref="LedgerRecord.Read"/> bounds it.
/// </remarks>
internal sealed unsafe class LedgerReader(byte* start, LedgerHeader header)
{
    /// <summary>
    /// The most looks at a record that changes meanwhile. After that the record is left out: a newer job is taking its place.
    /// </summary>
    private const int MaxLooks = 100;

    private const int Words = LedgerLayout.RecordSizeBytes / sizeof(ulong);

    public LedgerHeader Header { get; } = header;

    /// <summary>The record of a job, or null when the ledger has none.</summary>
    public LedgerEntry? Find(ulong id) => ReadSlot((int)(id & (ulong)(Header.Records - 1))) is { } entry && entry.Id == id ? entry : null;

    /// <summary>All jobs in the ledger, by id.</summary>
    public List<LedgerEntry> ReadAll()
    {
        List<LedgerEntry> entries = [];
        for (int slot = 0; slot < Header.Records; slot++)
        {
            if (ReadSlot(slot) is { } entry)
            {
                entries.Add(entry);
            }
        }

        entries.Sort((one, other) => one.Id.CompareTo(other.Id));
        return entries;
    }

    /// <summary>The greatest id in the ledger; 0 for none.</summary>
    public ulong LastId()
    {
        ulong last = Header.FirstId > 0 ? Header.FirstId - 1 : 0; // counts also when no older record is left
        for (int slot = 0; slot < Header.Records; slot++)
        {
            last = Math.Max(last, Volatile.Read(ref Word(slot, LedgerLayout.IdOffset)));
        }

        return last;
    }

    private LedgerEntry? ReadSlot(int slot)
    {
        Span<ulong> copy = stackalloc ulong[Words];
        for (int look = 0; look < MaxLooks; look++)
        {
            ulong id = Volatile.Read(ref Word(slot, LedgerLayout.IdOffset)); // acquire: all fields of the arrival are complete
            if (id == 0 || (id & (ulong)(Header.Records - 1)) != (ulong)slot)
            {
                return null;
            }

            bool isEnded = Volatile.Read(ref Word(slot, LedgerLayout.EndStampOffset)) == id; // acquire: the outcome is complete too
            for (int word = 0; word < Words; word++)
            {
                copy[word] = Volatile.Read(ref Word(slot, word * sizeof(ulong))); // one word at a time, so that no word is torn
            }

            Volatile.ReadBarrier(); // no word was copied after the second look; the other half is the barrier after the writer's zero
            if (Volatile.Read(ref Word(slot, LedgerLayout.IdOffset)) == id)
            {
                return LedgerRecord.Read(MemoryMarshal.AsBytes(copy), id, isEnded);
            }
        }

        return null;
    }

    private ref ulong Word(int slot, int offset) =>
        ref *(ulong*)(start + LedgerLayout.HeaderSizeBytes + ((nint)slot * LedgerLayout.RecordSizeBytes) + offset);
}
