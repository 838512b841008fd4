using System.Buffers;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>One decoded message in its original bytes. Valid only while the handler that was given it runs.</summary>
internal readonly ref struct MessageView
{
    private readonly ReadOnlySpan<byte> _span;
    private readonly ReadOnlySequence<byte> _sequence;
    private readonly bool _scattered;

    /// <summary>A message at the start of <paramref name="span"/>.</summary>
    public MessageView(ref readonly MessageLayout layout, ReadOnlySpan<byte> span)
    {
        Layout = ref layout;
        _span = span;
    }

    /// <summary>A message at the start of <paramref name="sequence"/>, across its segments.</summary>
    public MessageView(ref readonly MessageLayout layout, in ReadOnlySequence<byte> sequence)
    {
        Layout = ref layout;
        _sequence = sequence;
        _scattered = true;
    }

    /// <summary>The places of the message's parts.</summary>
    public readonly ref readonly MessageLayout Layout;

    /// <summary>The first argument's bytes, in a message with <see cref="ArgumentShape.Data"/>.</summary>
    public Payload Data => _scattered
        ? new Payload(_sequence.Slice(Layout.DataOffset, Layout.DataLength))
        : new Payload(_span.Slice(Layout.DataOffset, Layout.DataLength));

    /// <summary>The reason of an error.</summary>
    public ReadOnlySpan<byte> Text => Part(Layout.TextOffset, Layout.TextLength);

    /// <summary>The headers array; empty when there is none.</summary>
    public ReadOnlySpan<byte> Headers => Part(Layout.HeadersOffset, Layout.HeadersLength);

    /// <summary>The first argument, which must be short, as one span.</summary>
    public ReadOnlySpan<byte> ShortData => Part(Layout.DataOffset, Layout.DataLength);

    /// <summary>The arguments after the first one, in a message with <see cref="ArgumentShape.Data"/>.</summary>
    public ReadOnlySpan<byte> AfterData => Part(
        Layout.DataOffset + Layout.DataLength,
        Layout.ArgumentsOffset + Layout.ArgumentsLength - Layout.DataOffset - Layout.DataLength);

    /// <summary>The arguments array.</summary>
    public ReadOnlySpan<byte> Arguments => Part(Layout.ArgumentsOffset, Layout.ArgumentsLength);

    private ReadOnlySpan<byte> Part(int offset, int length)
    {
        if (length == 0 || !_scattered)
        {
            return length == 0 ? default : _span.Slice(offset, length);
        }

        // Only long messages are scattered, and few of them in the middle of a short part, so the copy is rare.
        ReadOnlySequence<byte> part = _sequence.Slice(offset, length);
        return part.IsSingleSegment ? part.FirstSpan : part.ToArray();
    }
}
