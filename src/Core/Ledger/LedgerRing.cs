using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>
/// Writes the records of an app's jobs into a ring in mapped memory. The job with id N has the slot N mod the count, until the job N +
/// count takes the slot.
/// </summary>
/// <remarks>
/// The engine's thread writes. Other threads and processes read, also after the writer was killed between any two stores. (A second engine
/// of the app may write from its own thread while the first one drains: their ids, and so their slots, are different.) Two stamps in each
/// slot keep a record consistent. A stamp is the job's id when the part that it vouches for is whole:
/// <list type="bullet">
/// <item>The id stamp vouches for the arrival. The writer takes a slot over by id stamp := 0, a store barrier, the arrival's fields, then
/// id stamp := the new id with release. A reader takes the id stamp with acquire, copies, and looks at the stamp again after a load
/// barrier: the same id both times means that no part of the copy belongs to another job.</item>
/// <item>The end stamp vouches for the outcome, and is written with release after the outcome's fields. The end stamp needs no clearing: it
/// holds the id of an older job, which is a different id. A reader that takes the end stamp with acquire and sees the job's id has the
/// whole outcome; otherwise the job is open, or was open when its node ended.</item>
/// </list>
/// Each stage in between is one aligned word, whole by itself. A killed process leaves the stores up to some point of its program, in the
/// order that the barriers keep; so a later reader sees what a concurrent reader might have seen.
/// Safety: the memory is that of a mapped file or of a test, at least <see cref="LedgerLayout.FileSizeBytes"/> of the count, and outlives
/// this object's use. The count is a private copy and a power of two, so that no slot lies outside.
/// </remarks>
internal sealed unsafe class LedgerRing : IJobLedger
{
    /// <summary>
    /// The writer asks the wall clock once in this time, and computes wall times from the monotonic clock in between, because a look at the
    /// wall clock costs more than a record.
    /// </summary>
    private const long PairingAgeNs = 1_000_000_000;

    private readonly byte* _records;
    private readonly ulong _mask;
    private readonly TimeProvider _clock;
    private bool _isStopped; // the memory may be gone
    private long _pairedNs;
    private long _wallMinusMonotonicNs;

    /// <param name="start">Start of the file's memory, the header.</param>
    /// <param name="records">The number of records in the file.</param>
    /// <param name="lastId">The greatest id in the file.</param>
    /// <param name="clock">The wall clock.</param>
    public LedgerRing(byte* start, int records, ulong lastId, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(LedgerLayout.RecordsFor(records), records);
        _records = start + LedgerLayout.HeaderSizeBytes;
        _mask = (ulong)records - 1;
        LastId = lastId;
        _clock = clock;
        Pair(clock.GetTimestamp()); // in monotonic ns of the system's clock, like the loop's times
    }

    public ulong LastId { get; private set; }

    /// <summary>Stops writing, because the memory goes. Called on the loop, like every other method.</summary>
    public void Stop() => _isStopped = true;

    public void Arrived(ulong id, long nowNs, ReadOnlySpan<byte> task, ReadOnlySpan<byte> name)
    {
        if (_isStopped)
        {
            return;
        }

        if ((ulong)(nowNs - _pairedNs) > PairingAgeNs)
        {
            Pair(nowNs);
        }

        LastId = Math.Max(LastId, id);
        byte* slot = Slot(id);
        Volatile.Write(ref *(ulong*)(slot + LedgerLayout.IdOffset), 0);
        Volatile.WriteBarrier(); // no field of the new job is stored before the zero; the other half is the reader's second look
        LedgerRecord.WriteArrival(new Span<byte>(slot, LedgerLayout.RecordSizeBytes), nowNs + _wallMinusMonotonicNs, nowNs, task, name);
        Volatile.Write(ref *(ulong*)(slot + LedgerLayout.IdOffset), id);
    }

    public void Queued(ulong id, long nowNs) => WriteWord(id, LedgerLayout.QueuedOffset, (ulong)nowNs);

    public void Placed(ulong id, uint slave)
    {
        RunWord word = ReadRunWord(id);
        WriteWord(id, LedgerLayout.SlaveOffset, word.PlacedOn(slave).Value);
    }

    public void TakenBack(ulong id, int runs)
    {
        WriteWord(id, LedgerLayout.SlaveOffset, ReadRunWord(id).TakenBack(runs).Value);
        if (runs == 0)
        {
            WriteWord(id, LedgerLayout.DispatchedOffset, 0);
        }
    }

    public void Dispatched(ulong id, long nowNs, uint slave, int run, long stoodNs)
    {
        WriteWord(id, LedgerLayout.SlaveOffset, RunWord.Of(slave, run, stoodNs).Value);
        WriteWord(id, LedgerLayout.DispatchedOffset, (ulong)nowNs);
    }

    public void Forwarded(ulong id, long nowNs, int run, ReadOnlySpan<byte> node)
    {
        byte* slot = Slot(id);
        if (!_isStopped && *(ulong*)(slot + LedgerLayout.IdOffset) == id)
        {
            LedgerRecord.WriteNode(new Span<byte>(slot, LedgerLayout.RecordSizeBytes), node);
            Dispatched(id, nowNs, slave: 0, run, stoodNs: -1);
        }
    }

    public void FirstByte(ulong id, long nowNs) => WriteWord(id, LedgerLayout.FirstByteOffset, (ulong)nowNs);

    public void Ended(ulong id, long nowNs, JobOutcome outcome, int category, int code, ReadOnlySpan<byte> text)
    {
        byte* slot = Slot(id);
        if (_isStopped || *(ulong*)(slot + LedgerLayout.IdOffset) != id)
        {
            return; // a later job has the slot
        }

        LedgerRecord.WriteEnd(new Span<byte>(slot, LedgerLayout.RecordSizeBytes), nowNs, outcome, category, code, text);
        Volatile.Write(ref *(ulong*)(slot + LedgerLayout.EndStampOffset), id);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteWord(ulong id, int offset, ulong value)
    {
        byte* slot = Slot(id);
        if (!_isStopped && *(ulong*)(slot + LedgerLayout.IdOffset) == id)
        {
            Volatile.Write(ref *(ulong*)(slot + offset), value);
        }
    }

    private RunWord ReadRunWord(ulong id) => new(_isStopped ? 0 : *(ulong*)(Slot(id) + LedgerLayout.SlaveOffset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Slot(ulong id) => _records + ((nint)(id & _mask) * LedgerLayout.RecordSizeBytes);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Pair(long nowNs)
    {
        _pairedNs = nowNs;
        _wallMinusMonotonicNs = ((_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100) - nowNs;
    }
}
