using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>The first page of a ledger's file. The page describes the file, and every process that maps the file checks it.</summary>
/// <param name="App">The app of the jobs.</param>
/// <param name="Records">The number of records that the file has room for, a power of two.</param>
/// <param name="ProcessId">The node that writes the file, or wrote it last.</param>
/// <param name="WallNs">The time at which that node opened the file, ns since 1970.</param>
/// <param name="MonotonicNs">The same moment on the monotonic clock.</param>
/// <param name="FirstId">The first id of that node: smaller ids belong to earlier nodes.</param>
/// <param name="StoppedNs">The time at which the node stopped, ns since 1970; 0 while the node runs, and when it was killed.</param>
internal sealed record LedgerHeader(
    string App, int Records, int ProcessId, long WallNs, long MonotonicNs, ulong FirstId, long StoppedNs)
{
    /// <summary>The app was deleted, so no node is expected to continue the file.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>Reads a header; null when the page is no valid header, with the problem.</summary>
    public static LedgerHeader? Read(ReadOnlySpan<byte> page, long fileSizeBytes, out string problem)
    {
        problem = "";
        if (page.Length < LedgerLayout.HeaderSizeBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(page[LedgerLayout.MagicOffset..]) != LedgerLayout.Magic)
        {
            problem = "it is no ledger";
            return null;
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(page[LedgerLayout.VersionOffset..]);
        uint recordBytes = BinaryPrimitives.ReadUInt32LittleEndian(page[LedgerLayout.RecordBytesOffset..]);
        if (version != LedgerLayout.Version || recordBytes != LedgerLayout.RecordSizeBytes)
        {
            problem = $"its layout is version {version} with records of {recordBytes} bytes, "
                + $"not {LedgerLayout.Version} with {LedgerLayout.RecordSizeBytes}";
            return null;
        }

        uint records = BinaryPrimitives.ReadUInt32LittleEndian(page[LedgerLayout.RecordCountOffset..]);
        int length = page[LedgerLayout.AppLengthOffset];
        bool fits = records is >= LedgerLayout.MinRecords and <= LedgerLayout.MaxRecords && BitOperations.IsPow2(records)
            && fileSizeBytes == LedgerLayout.FileSizeBytes((int)records) && length is > 0 and <= LedgerLayout.MaxAppBytes;
        if (!fits)
        {
            problem = $"its header says {records} records, and it has {fileSizeBytes} bytes";
            return null;
        }

        return new LedgerHeader(
            Encoding.UTF8.GetString(page.Slice(LedgerLayout.AppOffset, length)),
            (int)records,
            BinaryPrimitives.ReadInt32LittleEndian(page[LedgerLayout.ProcessOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[LedgerLayout.WallOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[LedgerLayout.MonotonicOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(page[LedgerLayout.FirstIdOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[LedgerLayout.StoppedOffset..]))
        {
            IsDeleted = BinaryPrimitives.ReadInt64LittleEndian(page[LedgerLayout.DeletedOffset..]) != 0,
        };
    }

    /// <summary>Writes the header, and the magic last: a page that was not written to its end is no header.</summary>
    public void Write(Span<byte> page)
    {
        int length = Encoding.UTF8.GetByteCount(App);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LedgerLayout.MaxAppBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(page[LedgerLayout.VersionOffset..], LedgerLayout.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(page[LedgerLayout.RecordBytesOffset..], LedgerLayout.RecordSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(page[LedgerLayout.RecordCountOffset..], (uint)Records);
        BinaryPrimitives.WriteInt32LittleEndian(page[LedgerLayout.ProcessOffset..], ProcessId);
        BinaryPrimitives.WriteInt64LittleEndian(page[LedgerLayout.WallOffset..], WallNs);
        BinaryPrimitives.WriteInt64LittleEndian(page[LedgerLayout.MonotonicOffset..], MonotonicNs);
        BinaryPrimitives.WriteUInt64LittleEndian(page[LedgerLayout.FirstIdOffset..], FirstId);
        BinaryPrimitives.WriteInt64LittleEndian(page[LedgerLayout.StoppedOffset..], StoppedNs);
        BinaryPrimitives.WriteInt64LittleEndian(page[LedgerLayout.DeletedOffset..], IsDeleted ? 1 : 0);
        page[LedgerLayout.AppLengthOffset] = (byte)length;
        Encoding.UTF8.GetBytes(App, page[LedgerLayout.AppOffset..]);
        Volatile.WriteBarrier(); // before the magic; the other half is the lock, under which the next node reads
        BinaryPrimitives.WriteUInt64LittleEndian(page[LedgerLayout.MagicOffset..], LedgerLayout.Magic);
    }
}
