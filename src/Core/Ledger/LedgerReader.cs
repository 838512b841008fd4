using System.Runtime.InteropServices;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>Reads the records of a ledger, while a node writes it or after it was killed. The orderings are explained at
/// <see cref="LedgerRing"/>.</summary>
/// <remarks>
/// Safety: the memory is a mapped file whose header was checked against its size, and outlives this object's use. Its content is
/// believed only as far as <see cref="LedgerRecord.Read"/> bounds it: another process writes it.
/// </remarks>
internal sealed unsafe class LedgerReader(byte* start, LedgerHeader header)
{
    /// <summary>Looks at a record that changes meanwhile; then it is left out: a newer job is taking its place just now.</summary>
    private const int MaxLooks = 100;

    private const int Words = LedgerLayout.RecordSizeBytes / sizeof(ulong);

    public LedgerHeader Header { get; } = header;

    /// <summary>The record of a job, or null when it is not there.</summary>
    public LedgerEntry? Find(ulong id) => ReadSlot((int)(id & (ulong)(Header.Records - 1))) is { } entry && entry.Id == id ? entry : null;

    /// <summary>All jobs that it has, by id.</summary>
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

    /// <summary>The greatest id that it has; 0 for none.</summary>
    public ulong LastId()
    {
        ulong last = Header.FirstId > 0 ? Header.FirstId - 1 : 0; // also when nothing is left of those before
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
            ulong id = Volatile.Read(ref Word(slot, LedgerLayout.IdOffset)); // acquire: the arrival is whole
            if (id == 0 || (id & (ulong)(Header.Records - 1)) != (ulong)slot)
            {
                return null;
            }

            bool isEnded = Volatile.Read(ref Word(slot, LedgerLayout.EndStampOffset)) == id; // acquire: so is the outcome
            for (int word = 0; word < Words; word++)
            {
                copy[word] = Volatile.Read(ref Word(slot, word * sizeof(ulong))); // a word at a time: none is torn
            }

            Volatile.ReadBarrier(); // nothing was copied after the second look; other half: the barrier after the writer's zero
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
