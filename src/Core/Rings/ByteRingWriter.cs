using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// The writing end of a single-producer, single-consumer byte ring, as a sink of messages.
/// </summary>
/// <remarks>
/// <para>Messages of one turn gather in one open record. <see cref="Publish"/> seals the record and shows everything written since the last
/// call by a single release store of the tail. A writer that dies in between leaves a tail that does not cover its unpublished bytes, so no
/// reader sees half a record.</para>
/// <para>When the ring has no room, messages go into a private overflow in order, and from there into the ring as the reader makes room
/// (<see cref="DrainOverflow"/>): the writer never spins and never drops. The user of this writer watches <see cref="OverflowBytes"/> and
/// stops taking input from the side that is ahead.</para>
/// <para>Safety: one thread calls; every access stays within the view's capacity, which is checked here against private copies of tail and
/// capacity. The reader's head is the only shared value that the writer believes, and only after a check that it lies between the last head
/// seen and the published tail. After <see cref="Detach"/> no shared memory is touched.</para>
/// </remarks>
internal sealed unsafe class ByteRingWriter : MessageSink
{
    private readonly RingView _ring;
    private readonly long _mask;
    private readonly int _maxPayload;
    private readonly OverflowQueue _overflow = new();
    private long _tail;          // end of the written bytes, including the open record
    private long _published;     // the tail that the reader can see
    private long _cachedHead;    // the last head seen and checked
    private long _openStart = -1; // start of the open record, or -1
    private int _openLength;
    private bool _inOverflow;    // the last message was begun in the overflow
    private bool _detached;

    public ByteRingWriter(RingView ring)
    {
        _ring = ring;
        _mask = ring.CapacityBytes - 1;
        _maxPayload = RingDescriptor.MaxPayloadBytes(ring.CapacityBytes);
    }

    public override int MaxContiguousBytes => _maxPayload;

    /// <summary>Bytes that wait for room; 0 when everything is in the ring.</summary>
    public int OverflowBytes => _overflow.SizeBytes;

    /// <summary>Why the reader can no longer be trusted, or null. The owner ends the peer when this is set.</summary>
    public string? Fault { get; private set; }

    /// <summary>The end of what was published until now, for <see cref="HasRead"/>.</summary>
    public long PublishedMark => _published;

    /// <summary>The reader has read all up to a mark, as far as the last look at its head tells.</summary>
    public bool HasRead(long mark) => _cachedHead >= mark;

    /// <summary>Bytes written and not yet published.</summary>
    public long UnpublishedBytes => _tail - _published;

    public override Span<byte> BeginMessage(int maxBytes)
    {
        Debug.Assert(maxBytes <= _maxPayload);
        if (_overflow.SizeBytes == 0 && TryClaim(maxBytes))
        {
            return OpenSpan(maxBytes);
        }

        _inOverflow = true;
        return _overflow.Begin(maxBytes);
    }

    public override void EndMessage(int sizeBytes)
    {
        if (_inOverflow)
        {
            _inOverflow = false;
            _overflow.End(sizeBytes);
            return;
        }

        _openLength += sizeBytes;
        _tail = _openStart + RingDescriptor.RecordSizeBytes(_openLength);
    }

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        int total = checked(prefix.Length + payload.Length + suffix.Length);
        int written = _overflow.SizeBytes == 0 ? WriteNow(prefix, in payload, suffix, total) : 0;
        if (written < total && !_detached)
        {
            KeepRest(prefix, in payload, suffix, written);
            DrainOverflow();
        }
    }

    /// <summary>Moves the overflow into the ring as far as there is room. True when the overflow is empty.</summary>
    public bool DrainOverflow()
    {
        while (_overflow.TryPeek(out int rest))
        {
            int piece = Math.Min(rest, _maxPayload);
            SealOpenRecord();
            if (!TryClaim(piece))
            {
                return false;
            }

            _overflow.Take(OpenSpan(piece));
            EndMessage(piece);
            Seal(piece == rest ? RecordKind.Last : RecordKind.More);
        }

        return true;
    }

    /// <summary>Writes a long message into the ring, in pieces when it is longer than a record, as far as there is room.</summary>
    /// <returns>The bytes that were written.</returns>
    private int WriteNow(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix, int total)
    {
        bool isOneRecord = total <= _maxPayload;
        int written = 0;
        while (written < total)
        {
            int piece = Math.Min(total - written, _maxPayload);
            if (!isOneRecord)
            {
                SealOpenRecord();
            }

            if (!TryClaim(piece))
            {
                break;
            }

            Copy(prefix, in payload, suffix, written, OpenSpan(piece));
            EndMessage(piece);
            written += piece;
            if (!isOneRecord)
            {
                Seal(written == total ? RecordKind.Last : RecordKind.More);
            }
        }

        return written;
    }

    /// <summary>The rest of a long message waits for room: as received memory, or as a copy.</summary>
    private void KeepRest(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix, int written)
    {
        int start = Math.Max(written - prefix.Length, 0);
        if (suffix.IsEmpty && start < payload.Sequence.Length)
        {
            ReadOnlySequence<byte> rest = payload.Sequence.Slice(start);
            if (SharedSegment.TryKeep(in rest))
            {
                _overflow.AddKept(prefix[Math.Min(written, prefix.Length)..], in rest);
                return;
            }
        }

        Span<byte> copy = _overflow.Begin(prefix.Length + payload.Length + suffix.Length - written);
        Copy(prefix, in payload, suffix, written, copy);
        _overflow.End(copy.Length);
    }

    /// <summary>Copies a part of a message that is given in three parts.</summary>
    private static void Copy(
        scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix, int start, Span<byte> to)
    {
        int count = Math.Clamp(prefix.Length - start, 0, to.Length);
        prefix.Slice(Math.Min(start, prefix.Length), count).CopyTo(to);
        to = to[count..];
        start = Math.Max(start - prefix.Length, 0);
        count = Math.Clamp(payload.Length - start, 0, to.Length);
        payload.CopyTo(Math.Min(start, payload.Length), to[..count]);
        to = to[count..];
        suffix.Slice(Math.Max(start - payload.Length, 0), to.Length).CopyTo(to);
    }

    /// <summary>The next bytes of the open record, which were claimed.</summary>
    private Span<byte> OpenSpan(int bytes) =>
        new(_ring.Data + ((_openStart + RingDescriptor.RecordHeaderSizeBytes + _openLength) & _mask), bytes);

    /// <summary>
    /// Shows everything written so far to the reader. True when the reader waits and must be rung.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Publish()
    {
        if (_tail == _published || _detached)
        {
            return false;
        }

        SealOpenRecord();
        _published = _tail;

        // Release: the records' bytes and headers are visible before the tail that covers them. Its other half is the acquire load of
        // Tail in
        // ByteRingReader.TryRead.
        Volatile.Write(ref _ring.Tail, _tail);

        // Full fence between this side's store of Tail and its load of ReaderParked; its other half is the fence in ByteRingReader.TryPark
        // between the store of ReaderParked and the load of Tail. At least one of the two sides sees the other's store, so no wake-up is
        // lost.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _ring.ReaderParked) == 0)
        {
            return false;
        }

        Volatile.Write(ref _ring.ReaderParked, 0);
        return true;
    }

    /// <summary>
    /// Asks to be rung when the reader makes room. False when room was made meanwhile: the caller drains again instead of waiting.
    /// </summary>
    public bool TryWaitForRoom()
    {
        if (_detached)
        {
            return true;
        }

        Volatile.Write(ref _ring.WriterWaits, 1);

        // Other half: the fence in ByteRingReader.Release between its store of Head and its load of WriterWaits.
        Interlocked.MemoryBarrier();
        long before = _cachedHead;
        RefreshHead();
        if (_cachedHead == before)
        {
            return true;
        }

        Volatile.Write(ref _ring.WriterWaits, 0);
        return false;
    }

    /// <summary>Stops touching the ring's memory, for good; later messages are dropped.</summary>
    public void Detach()
    {
        _detached = true;
        _openStart = -1;
        _overflow.Clear();
    }

    /// <summary>
    /// Makes sure that the open record has room for <paramref name="bytes"/> more, and opens a new record when necessary.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryClaim(int bytes)
    {
        if (_openStart >= 0)
        {
            int length = _openLength + bytes;
            if (length <= _maxPayload)
            {
                long end = _openStart + RingDescriptor.RecordSizeBytes(length);
                if (end - _cachedHead <= _mask + 1 && (_openStart & _mask) + (end - _openStart) <= _mask + 1)
                {
                    return true;
                }
            }
        }

        return TryOpen(bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryOpen(int bytes)
    {
        if (_detached || Fault is not null)
        {
            return false;
        }

        SealOpenRecord();
        int size = RingDescriptor.RecordSizeBytes(bytes);
        int toEnd = (int)(_mask + 1 - (_tail & _mask));
        int padding = size > toEnd ? toEnd : 0;
        if (_tail + padding + size - _cachedHead > _mask + 1)
        {
            RefreshHead();
            if (_tail + padding + size - _cachedHead > _mask + 1)
            {
                return false;
            }
        }

        if (padding > 0)
        {
            WriteHeader(_tail, padding - RingDescriptor.RecordHeaderSizeBytes, RecordKind.Padding);
            _tail += padding;
        }

        _openStart = _tail;
        _openLength = 0;
        return true;
    }

    private void SealOpenRecord()
    {
        if (_openStart >= 0)
        {
            Seal(RecordKind.Last);
        }
    }

    private void Seal(RecordKind kind)
    {
        if (_openLength > 0)
        {
            WriteHeader(_openStart, _openLength, kind);
        }

        _openStart = -1;
        _openLength = 0;
    }

    private void WriteHeader(long position, int length, RecordKind kind)
    {
        byte* header = _ring.Data + (position & _mask);
        *(uint*)(header + RingDescriptor.LengthOffset) = (uint)length;
        *(uint*)(header + RingDescriptor.KindOffset) = (uint)kind;
    }

    private void RefreshHead()
    {
        if (_detached)
        {
            return;
        }

        // Acquire: the reader is done with the bytes before the head that it stored. Other half: the release store in
        // ByteRingReader.Release.
        long head = Volatile.Read(ref _ring.Head);
        if (head < _cachedHead || head > _published || (head & (RingDescriptor.RecordAlignmentBytes - 1)) != 0)
        {
            Fault = $"the ring's head {head} is not between {_cachedHead} and {_published}";
            return;
        }

        _cachedHead = head;
    }
}
