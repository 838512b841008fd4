namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// Every offset of the shared segment and of a record, in one place. The byte diagram is in docs/worker-protocol.md;
/// a test compares the two.
/// </summary>
internal static class RingDescriptor
{
    // Segment header: the node writes it before the worker sees it, and never reads it back.
    public const ulong Magic = 0x3130_4550_4950_4643; // "CFPIPE01", little-endian
    public const uint LayoutVersion = 1;
    public const int HeaderSizeBytes = 4096;
    public const int MagicOffset = 0;
    public const int VersionOffset = 8;
    public const int HeaderSizeOffset = 12;
    public const int SegmentSizeOffset = 16;
    public const int GenerationOffset = 24;
    public const int RequestCapacityOffset = 32;
    public const int ResponseCapacityOffset = 36;
    public const int RequestOffsetOffset = 40;
    public const int ResponseOffsetOffset = 48;
    public const int SpinMicrosecondsOffset = 56;
    public const int MostBegunOffset = 60;

    // Control blocks: one word per pair of 64-byte lines, because the adjacent-line prefetcher moves lines in pairs.
    public const int RequestControlOffset = 1024;
    public const int ResponseControlOffset = 2048;
    public const int TailOffset = 0;
    public const int HeadOffset = 128;
    public const int ReaderParkedOffset = 256;
    public const int WriterWaitsOffset = 384;
    public const int ControlSizeBytes = 512;

    // The worker's and the node's word about what is begun, apart for the same reason.
    public const int BegunOffset = 3072;
    public const int BegunAgainOffset = 3080; // in a page beside a socket only
    public const int RecallOffset = 3200;

    // A page beside a socket: the words at their places in a segment, and this at the front.
    public const ulong PageMagic = 0x3130_4E49_4745_4243; // "CBEGIN01", little-endian
    public const int PageSizeBytes = HeaderSizeBytes;

    // Records.
    public const int RecordHeaderSizeBytes = 8;
    public const int RecordAlignmentBytes = 8;
    public const int LengthOffset = 0;
    public const int KindOffset = 4;

    public const int MinCapacityBytes = 4096;
    public const int MaxCapacityBytes = 1 << 30;

    /// <summary>The most payload bytes of one record: a quarter of the ring, so that a padding record never starves a writer.</summary>
    public static int MaxPayloadBytes(int capacityBytes) => (capacityBytes / 4) - RecordHeaderSizeBytes;

    /// <summary>Bytes that a record with this payload takes in the ring.</summary>
    public static int RecordSizeBytes(int payloadBytes) =>
        (RecordHeaderSizeBytes + payloadBytes + (RecordAlignmentBytes - 1)) & ~(RecordAlignmentBytes - 1);
}

/// <summary>The content of a record.</summary>
internal enum RecordKind : uint
{
    /// <summary>The record has whole messages, or the last piece of a long one.</summary>
    Last = 0,

    /// <summary>The record has a piece; more follow in the next records.</summary>
    More = 1,

    /// <summary>The record has nothing; skip it.</summary>
    Padding = 2,
}
