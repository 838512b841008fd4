using System.Buffers;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The bytes of one chunk in their original place: in one span (a ring record, a receive block) or across the segments of a socket's
/// buffer. A payload is valid only while the handler that was given it runs; a handler that keeps the bytes copies them, or keeps the
/// received memory when it is a <see cref="Memory.SharedSegment"/>'s.
/// </summary>
internal readonly ref struct Payload
{
    private readonly ReadOnlySpan<byte> _span;
    private readonly ReadOnlySequence<byte> _sequence;
    private readonly bool _scattered;

    public Payload(ReadOnlySpan<byte> span)
    {
        _span = span;
        Length = span.Length;
    }

    public Payload(scoped in ReadOnlySequence<byte> sequence)
    {
        Length = checked((int)sequence.Length);
        _sequence = sequence;
        if (sequence.IsSingleSegment)
        {
            _span = sequence.FirstSpan;
        }
        else
        {
            _scattered = true;
        }
    }

    /// <summary>Length in bytes.</summary>
    public int Length { get; }

    /// <summary><see cref="Span"/> holds all of the bytes.</summary>
    public bool IsContiguous => !_scattered;

    /// <summary>The bytes; only when <see cref="IsContiguous"/>.</summary>
    public ReadOnlySpan<byte> Span => _span;

    /// <summary>The bytes across segments; empty when they were given as a span.</summary>
    public ReadOnlySequence<byte> Sequence => _sequence;

    /// <summary>Copies all bytes to the start of <paramref name="destination"/>, which must have room for <see cref="Length"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        if (_scattered)
        {
            _sequence.CopyTo(destination);
        }
        else
        {
            _span.CopyTo(destination);
        }
    }

    /// <summary>Copies the bytes from <paramref name="start"/> on, as many as <paramref name="destination"/> has room for.</summary>
    public void CopyTo(int start, Span<byte> destination)
    {
        if (_scattered)
        {
            _sequence.Slice(start, destination.Length).CopyTo(destination);
        }
        else
        {
            _span.Slice(start, destination.Length).CopyTo(destination);
        }
    }

    public byte[] ToArray() => _scattered ? _sequence.ToArray() : _span.ToArray();
}
