using System.Numerics;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>
/// Where everything lies in a ledger's file. All numbers are little-endian and naturally aligned.
/// <code>
/// file    0  header, one page
///      4096  record of the ids with id mod count = 0, then 1, …; 256 bytes each
///
/// header  0  magic          8     40  first id of the present or last node  8
///         8  version        4     48  wall ns when that node stopped, or 0  8
///        12  record bytes   4     56  length of the app's name              1
///        16  record count   4     57  the app's name                       64
///        20  process id     4    128  1 when the app was deleted, or 0     8
///        24  wall ns        8     the same moment on both clocks,
///        32  monotonic ns   8     when the node opened the file
///
/// record  0  id stamp       8  line 1: written at arrival; each stage then is one word of its own
///         8  arrived, wall ns                          8
///        16  arrived, monotonic ns; so are all below   8
///        24  queued         8     32  dispatched       8
///        40  first byte     8     48  slave 4, run 2, stood 2: see RunWord
///        56  end stamp      8
///        64  ended          8  line 2
///        72  length of the task's name 1, of the event's 1, outcome 1, 1 when it was forwarded 1, length of the text 2, unused 2
///        80  the task's name, then the event's        48
///       128  category       4  lines 3 and 4: of errors only
///       132  code           4    136  text           120
///       224  of a forwarded job, whose text has 88 bytes: length of the node's name 1, the name 31
/// </code>
/// </summary>
internal static class LedgerLayout
{
    /// <summary>"ccfledgr" as it lies in memory.</summary>
    public const ulong Magic = 0x7267_6465_6c66_6363;

    public const uint Version = 1;

    public const int HeaderSizeBytes = 4096, RecordSizeBytes = 256;

    /// <summary>The fewest records: with fewer, a record would be gone before anybody could ask for it.</summary>
    public const int MinRecords = 64;

    /// <summary>The most records, 256 MiB: more is a database, and the ledger is none.</summary>
    public const int MaxRecords = 1 << 20;

    public const int MagicOffset = 0, VersionOffset = 8, RecordBytesOffset = 12, RecordCountOffset = 16, ProcessOffset = 20,
        WallOffset = 24, MonotonicOffset = 32, FirstIdOffset = 40, StoppedOffset = 48, AppLengthOffset = 56, AppOffset = 57,
        DeletedOffset = 128;

    public const int MaxAppBytes = 64;

    public const int IdOffset = 0, ArrivedWallOffset = 8, ArrivedOffset = 16, QueuedOffset = 24, DispatchedOffset = 32,
        FirstByteOffset = 40, SlaveOffset = 48, EndStampOffset = 56, EndedOffset = 64, TaskLengthOffset = 72, EventLengthOffset = 73,
        OutcomeOffset = 74, ForwardedOffset = 75, TextLengthOffset = 76, NamesOffset = 80, CategoryOffset = 128, CodeOffset = 132,
        TextOffset = 136, NodeLengthOffset = 224, NodeOffset = 225;

    /// <summary>Task and event together; the task takes at most half of these bytes.</summary>
    public const int MaxNamesBytes = 48;

    public const int MaxTextBytes = RecordSizeBytes - TextOffset;

    /// <summary>The text of a forwarded job, and the name of its node.</summary>
    public const int MaxForwardedTextBytes = NodeLengthOffset - TextOffset, MaxNodeBytes = RecordSizeBytes - NodeOffset;

    /// <summary>A power of two within the bounds, and at least the wanted number where the bounds allow it.</summary>
    public static int RecordsFor(long jobs) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(jobs, MinRecords, MaxRecords));

    public static long FileSizeBytes(int records) => HeaderSizeBytes + ((long)records * RecordSizeBytes);
}
