using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The two ends of a session.</summary>
internal enum SealSide : byte
{
    /// <summary>The end that has made the opening.</summary>
    Client,

    /// <summary>The end that has read the opening.</summary>
    Node,
}

/// <summary>
/// A session: two directions of records, each with a key of its own. A record is
/// <c>number of the session 16 | kind 1 | counter 7 | cipher text | tag 16</c>, big-endian. Sealing and opening allocate nothing. Several
/// connections, and so several loops, may use a session; each direction has a lock, which no other connection wants as a rule.
/// </summary>
internal sealed class SealSession
{
    /// <summary>Bytes of a record besides those of its text.</summary>
    public const int OverheadBytes = HeadBytes + SealDirection.TagBytes;

    private const int HeadBytes = OpeningSecret.SessionIdBytes + SealDirection.FieldBytes;

    private readonly SealDirection _out;
    private readonly SealDirection _in;
    private readonly bool _isClient;
    private long _lastUsedMs;

    /// <param name="secret">The opening and its key.</param>
    /// <param name="id">The number of the session.</param>
    /// <param name="side">The end that this object is.</param>
    /// <param name="name">The RSA name of the sender; empty at the sender's end.</param>
    /// <param name="thumbprint">The thumbprint of the sender's key.</param>
    /// <param name="nowMs">The time on the clock by which the session grows old, ms.</param>
    public SealSession(in OpeningSecret secret, UInt128 id, SealSide side, string name, string thumbprint, long nowMs = 0)
    {
        Id = id;
        Name = name;
        Thumbprint = thumbprint;
        OpenedMs = _lastUsedMs = nowMs;
        _isClient = side == SealSide.Client;
        _out = new SealDirection(in secret, toNode: _isClient);
        _in = new SealDirection(in secret, toNode: !_isClient);
    }

    /// <summary>The number by which records name the session; no secret.</summary>
    public UInt128 Id { get; }

    /// <summary>The RSA name of the identity that has opened the session.</summary>
    public string Name { get; }

    /// <summary>The thumbprint of the key that has signed the opening.</summary>
    public string Thumbprint { get; }

    /// <summary>The time of its opening, ms.</summary>
    public long OpenedMs { get; }

    /// <summary>The time of the latest call, ms.</summary>
    public long LastUsedMs => Volatile.Read(ref _lastUsedMs);

    /// <summary>The session takes no more requests; answers of its jobs still leave.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Records that this end has sealed.</summary>
    public ulong Sealed => _out.Counter;

    /// <summary>A call uses the session.</summary>
    public void Touch(long nowMs) => Volatile.Write(ref _lastUsedMs, nowMs);

    /// <summary>The session takes no more requests.</summary>
    public void End() => IsOver = true;

    /// <summary>Seals a text.</summary>
    /// <param name="context">The place of the record.</param>
    /// <param name="kind">The meaning of the record.</param>
    /// <param name="text">The text.</param>
    /// <param name="record">Gets the record: the text's length and <see cref="OverheadBytes"/>.</param>
    /// <returns>The record's counter, from 1; 0 when the direction has had its last record.</returns>
    public ulong Seal(in RecordContext context, RecordKind kind, in Payload text, Span<byte> record)
    {
        BinaryPrimitives.WriteUInt128BigEndian(record, Id);
        Span<byte> hidden = record.Slice(HeadBytes, text.Length);
        text.CopyTo(hidden);
        return _out.Seal(
            in context, _isClient, kind, record.Slice(OpeningSecret.SessionIdBytes, SealDirection.FieldBytes), hidden,
            record.Slice(HeadBytes + text.Length, SealDirection.TagBytes));
    }

    /// <summary>Opens a record.</summary>
    /// <param name="context">The place at which the record came.</param>
    /// <param name="record">The record.</param>
    /// <param name="text">Gets the text: room for the record's length.</param>
    /// <param name="opened">The record's length, kind and counter.</param>
    public SealFault Open(in RecordContext context, in Payload record, Span<byte> text, out OpenedRecord opened)
    {
        opened = default;
        if (record.Length < OverheadBytes)
        {
            return SealFault.CannotOpen;
        }

        if (IsOver)
        {
            return SealFault.UnknownSession;
        }

        Span<byte> head = stackalloc byte[HeadBytes];
        Span<byte> tag = stackalloc byte[SealDirection.TagBytes];
        record.CopyTo(0, head);
        record.CopyTo(record.Length - SealDirection.TagBytes, tag);
        if (BinaryPrimitives.ReadUInt128BigEndian(head) != Id)
        {
            return SealFault.CannotOpen;
        }

        Span<byte> hidden = text[..(record.Length - OverheadBytes)];
        record.CopyTo(HeadBytes, hidden);
        return _in.Open(in context, !_isClient, head[OpeningSecret.SessionIdBytes..], hidden, tag, out opened);
    }

    /// <summary>The number of the session that a record names; false when the bytes are too short for a record.</summary>
    public static bool TryReadId(in Payload record, out UInt128 id)
    {
        id = default;
        if (record.Length < OverheadBytes)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[OpeningSecret.SessionIdBytes];
        record.CopyTo(0, bytes);
        id = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return true;
    }
}

/// <summary>The facts of a record that was opened.</summary>
/// <param name="Length">Bytes of the text.</param>
/// <param name="Kind">The meaning of the record.</param>
/// <param name="Counter">The record's counter.</param>
internal readonly record struct OpenedRecord(int Length, RecordKind Kind, ulong Counter);
