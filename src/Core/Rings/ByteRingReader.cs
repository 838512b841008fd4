using System.Runtime.CompilerServices;

namespace Cocaine.Fast.Core.Rings;

/// <summary>The result of <see cref="ByteRingReader.TryRead"/>.</summary>
internal enum RingRead
{
    Empty,
    Record,
    Fault,
}

/// <summary>
/// The reading end of a byte ring. The writer may be hostile: it can write anything at any moment, so every shared word is loaded once into
/// a local, checked there, and never looked at again.
/// </summary>
/// <remarks>
/// Safety: one thread calls. Spans from <see cref="TryRead"/> lie within the ring, whatever the shared memory says, and belong to the
/// reader until <see cref="Release"/>. When the writer is hostile, their bytes may change meanwhile; their bounds cannot. After
/// <see cref="Detach"/> no shared memory is touched.
/// </remarks>
internal sealed unsafe class ByteRingReader
{
    private readonly RingView _ring;
    private readonly long _mask;
    private readonly int _maxPayload;
    private long _head;        // next byte to read
    private long _released;    // the head that the writer can see
    private long _cachedTail;  // the last tail seen and checked
    private bool _detached;

    public ByteRingReader(RingView ring)
    {
        _ring = ring;
        _mask = ring.CapacityBytes - 1;
        _maxPayload = RingDescriptor.MaxPayloadBytes(ring.CapacityBytes);
    }

    /// <summary>Why the writer can no longer be trusted, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>The next record's payload, without its padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RingRead TryRead(out ReadOnlySpan<byte> payload, out RecordKind kind)
    {
        while (true)
        {
            if (_head == _cachedTail && !RefreshTail())
            {
                payload = default;
                kind = RecordKind.Last;
                return Fault is null ? RingRead.Empty : RingRead.Fault;
            }

            byte* record = _ring.Data + (_head & _mask);

            // One load of the whole header: so the reader uses the same length that it has checked.
            ulong header = Volatile.Read(ref *(ulong*)record);
            uint length = (uint)header;
            kind = (RecordKind)(uint)(header >> 32);
            long toEnd = _mask + 1 - (_head & _mask);
            if (length > (ulong)(toEnd - RingDescriptor.RecordHeaderSizeBytes) || kind > RecordKind.Padding
                || (kind != RecordKind.Padding && length > (uint)_maxPayload))
            {
                return Fail($"a record of kind {(uint)kind} and {length} bytes at {_head}", out payload);
            }

            long size = RingDescriptor.RecordSizeBytes((int)length);
            if (size > _cachedTail - _head)
            {
                return Fail($"a record of {length} bytes at {_head} passes the tail {_cachedTail}", out payload);
            }

            _head += size;
            if (kind != RecordKind.Padding)
            {
                payload = new ReadOnlySpan<byte>(record + RingDescriptor.RecordHeaderSizeBytes, (int)length);
                return RingRead.Record;
            }
        }
    }

    /// <summary>Gives all bytes read so far back to the writer. True when the writer waits for room and must be rung.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Release()
    {
        if (_head == _released || _detached)
        {
            return false;
        }

        _released = _head;

        // Release: this side is done with the bytes before the head. Other half: the acquire load in ByteRingWriter.RefreshHead.
        Volatile.Write(ref _ring.Head, _head);

        // Other half: the fence in ByteRingWriter.TryWaitForRoom between its store of WriterWaits and its load of Head.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _ring.WriterWaits) == 0)
        {
            return false;
        }

        Volatile.Write(ref _ring.WriterWaits, 0);
        return true;
    }

    /// <summary>
    /// Says that this side is about to wait for its doorbell. False when something came meanwhile: the caller reads on instead.
    /// </summary>
    public bool TryPark()
    {
        if (_detached)
        {
            return true;
        }

        Volatile.Write(ref _ring.ReaderParked, 1);

        // Full fence between this side's store of ReaderParked and its load of Tail; its other half is the fence in ByteRingWriter.Publish
        // between the store of Tail and the load of ReaderParked. Either the writer sees that the reader parks, and rings, or the reader
        // sees the writer's tail.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _ring.Tail) == _head)
        {
            return true;
        }

        Volatile.Write(ref _ring.ReaderParked, 0);
        return false;
    }

    /// <summary>Takes the parked mark back after this side woke for another reason, so that the writer does not ring in vain.</summary>
    public void Unpark()
    {
        if (!_detached)
        {
            Volatile.Write(ref _ring.ReaderParked, 0);
        }
    }

    /// <summary>The tail shows that there is something to read.</summary>
    public bool HasRecords => !_detached && (_head != _cachedTail || Volatile.Read(ref _ring.Tail) != _head);

    /// <summary>Stops touching the ring's memory, for good.</summary>
    public void Detach()
    {
        _detached = true;
        _cachedTail = _head;
    }

    private bool RefreshTail()
    {
        if (_detached || Fault is not null)
        {
            return false;
        }

        // Acquire: the records below this tail are complete. Other half: the release store in ByteRingWriter.Publish.
        long tail = Volatile.Read(ref _ring.Tail);
        if (tail == _cachedTail)
        {
            return false;
        }

        if (tail < _cachedTail || tail - _head > _mask + 1 || (tail & (RingDescriptor.RecordAlignmentBytes - 1)) != 0)
        {
            Fault = $"the ring's tail {tail} does not follow {_cachedTail} (head {_head}, capacity {_mask + 1})";
            return false;
        }

        _cachedTail = tail;
        return true;
    }

    private RingRead Fail(string reason, out ReadOnlySpan<byte> payload)
    {
        Fault = reason;
        _cachedTail = _head;
        payload = default;
        return RingRead.Fault;
    }
}
