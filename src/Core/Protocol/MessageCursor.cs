using System.Buffers;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// Walks over the values of one message, in a span or across segments, without trusting any size in it. The cursor skips bodies by their
/// length, so the work is bounded by the number of values, not by bytes.
/// </summary>
internal ref struct MessageCursor
{
    private readonly ReadOnlySpan<byte> _span;
    private readonly ReadOnlySequence<byte> _sequence;
    private readonly bool _scattered;
    private readonly long _available;
    private readonly ProtocolLimits _limits;
    private int _elements;

    public MessageCursor(ReadOnlySpan<byte> span, ProtocolLimits limits)
    {
        _span = span;
        _available = span.Length;
        _limits = limits;
    }

    public MessageCursor(in ReadOnlySequence<byte> sequence, ProtocolLimits limits)
    {
        _sequence = sequence;
        _scattered = true;
        _available = sequence.Length;
        _limits = limits;
    }

    /// <summary>The number of bytes walked over.</summary>
    public int Position { get; private set; }

    /// <summary>The least length of the message as far as it is known: with the whole body at which the bytes end.</summary>
    public int KnownBytes { get; private set; }

    /// <summary>The message has a value of a modern family.</summary>
    public bool SawBin { get; private set; }

    public string? Problem { get; private set; }

    public readonly int MaxElements => _limits.MaxElements;

    /// <summary>Reads the head of the next value and stops after it: at the value's body or its first child.</summary>
    public DecodeStatus ReadHead(out MsgPackToken token)
    {
        token = default;
        if (Position >= _available)
        {
            return DecodeStatus.NeedMore;
        }

        Span<byte> joined = stackalloc byte[16];
        MsgPackStatus status = MsgPackToken.TryRead(Window(joined), out token);
        if (status != MsgPackStatus.Ok)
        {
            return status == MsgPackStatus.NeedMore ? DecodeStatus.NeedMore : Malformed("the byte c1, which MessagePack never uses");
        }

        if (++_elements > _limits.MaxElements)
        {
            return Malformed("too many values in one message");
        }

        SawBin |= token.IsModern;
        KnownBytes = Position += token.HeadBytes;
        return token.BodyBytes > (ulong)_limits.MaxMessageBytes || Position > _limits.MaxMessageBytes
            ? TooLarge() : DecodeStatus.Ok;
    }

    /// <summary>Steps over a body of so many bytes.</summary>
    public DecodeStatus SkipBody(ulong bytes)
    {
        if ((ulong)Position + bytes > (ulong)_limits.MaxMessageBytes + ProtocolLimits.FramingBytes)
        {
            return TooLarge();
        }

        KnownBytes = Position + (int)bytes;
        if (bytes > (ulong)(_available - Position))
        {
            return DecodeStatus.NeedMore;
        }

        Position = KnownBytes;
        return DecodeStatus.Ok;
    }

    /// <summary>Steps over so many whole values that stand at <paramref name="depth"/>.</summary>
    public DecodeStatus SkipValues(ulong count, int depth)
    {
        Span<ulong> left = stackalloc ulong[Math.Max(1, _limits.MaxDepth - depth + 1)];
        int level = 0;
        left[0] = count;
        while (true)
        {
            while (left[level] == 0)
            {
                if (level-- == 0)
                {
                    return DecodeStatus.Ok;
                }
            }

            left[level]--;
            DecodeStatus status = ReadHead(out MsgPackToken token);
            if (status == DecodeStatus.Ok)
            {
                status = SkipBody(token.BodyBytes);
            }

            if (status != DecodeStatus.Ok)
            {
                return status;
            }

            if (token.Children > 0)
            {
                if (++level >= left.Length)
                {
                    return Malformed("values nested too deep");
                }

                left[level] = token.Children;
            }
        }
    }

    public DecodeStatus Malformed(string problem)
    {
        Problem = problem;
        return DecodeStatus.Malformed;
    }

    private DecodeStatus TooLarge()
    {
        Problem = "the message is larger than the limit";
        return DecodeStatus.TooLarge;
    }

    /// <summary>The bytes from here on, at least a head's worth when they are there.</summary>
    private readonly ReadOnlySpan<byte> Window(Span<byte> joined)
    {
        if (!_scattered)
        {
            return _span[Position..];
        }

        ReadOnlySequence<byte> rest = _sequence.Slice(Position);
        if (rest.FirstSpan.Length >= MsgPackEncoder.MaxHeadBytes || rest.IsSingleSegment)
        {
            return rest.FirstSpan;
        }

        int count = (int)Math.Min(rest.Length, joined.Length);
        rest.Slice(0, count).CopyTo(joined);
        return joined[..count]; // a head across two segments
    }
}
