using System.Buffers;
using System.Buffers.Binary;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The result of a look for the next frame.</summary>
internal enum FrameLook
{
    /// <summary>The frame is not complete yet.</summary>
    More,

    /// <summary>A whole frame.</summary>
    Whole,

    /// <summary>The frame is over the bound: the start of the next one is not known.</summary>
    TooLong,
}

/// <summary>Takes frames off the front of the bytes that a peer has sent. Everything in them is hostile until it fits the bound.</summary>
internal struct FrameReader(Framing framing, int maxFrameBytes)
{
    private const int PrefixBytes = 4;

    /// <summary>Bytes at the front that are known to have no LF: the reader does not search them again with each byte that comes.</summary>
    private long _searched;

    /// <summary>Looks for the next frame: its content, and the size of the frame with its framing.</summary>
    public FrameLook Next(in ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> frame, out long size)
    {
        frame = default;
        size = 0;
        if (bytes.IsEmpty)
        {
            return FrameLook.More;
        }

        return framing switch
        {
            Framing.Line => NextLine(in bytes, out frame, out size),
            Framing.Length32 => NextLength32(in bytes, out frame, out size),
            _ => NextReceived(in bytes, out frame, out size),
        };
    }

    /// <summary>line = *OCTET [CR] LF</summary>
    private FrameLook NextLine(in ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> frame, out long size)
    {
        frame = default;
        size = 0;
        long end = IndexOfEnd(in bytes, _searched);
        if (end < 0)
        {
            // One byte over the bound may be the CR that is stripped.
            _searched = bytes.Length;
            return bytes.Length > maxFrameBytes + 1L ? FrameLook.TooLong : FrameLook.More;
        }

        _searched = 0;
        size = end + 1;
        long length = end > 0 && bytes.Slice(end - 1, 1).FirstSpan[0] == (byte)'\r' ? end - 1 : end;
        frame = bytes.Slice(0, length);
        return length > maxFrameBytes ? FrameLook.TooLong : FrameLook.Whole;
    }

    /// <summary>frame = 4 bytes length (big-endian, without themselves), content</summary>
    private readonly FrameLook NextLength32(in ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> frame, out long size)
    {
        frame = default;
        size = 0;
        if (bytes.Length < PrefixBytes)
        {
            return FrameLook.More;
        }

        Span<byte> prefix = stackalloc byte[PrefixBytes];
        bytes.Slice(0, PrefixBytes).CopyTo(prefix);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix);
        if (length > (uint)maxFrameBytes)
        {
            return FrameLook.TooLong;
        }

        size = PrefixBytes + (long)length;
        if (bytes.Length < size)
        {
            return FrameLook.More;
        }

        frame = bytes.Slice(PrefixBytes, length);
        return FrameLook.Whole;
    }

    private readonly FrameLook NextReceived(in ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> frame, out long size)
    {
        size = Math.Min(bytes.Length, maxFrameBytes);
        frame = bytes.Slice(0, size);
        return FrameLook.Whole;
    }

    private static long IndexOfEnd(in ReadOnlySequence<byte> bytes, long from)
    {
        if (bytes.IsSingleSegment)
        {
            int at = bytes.FirstSpan[(int)from..].IndexOf((byte)'\n');
            return at < 0 ? -1 : from + at;
        }

        long start = from;
        foreach (ReadOnlyMemory<byte> part in bytes.Slice(from))
        {
            int at = part.Span.IndexOf((byte)'\n');
            if (at >= 0)
            {
                return start + at;
            }

            start += part.Length;
        }

        return -1;
    }
}
