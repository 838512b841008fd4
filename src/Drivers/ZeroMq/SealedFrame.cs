using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A sealed body frame: <c>CFS1 | 1 | length of the opening 2 | opening | record</c>, or <c>CFS1 | 2 | record</c>. The record is the whole
/// request of a job, and each frame of an answer is <c>CFS1 | 2 | record</c>. So a frame needs no way back, and goes through any broker.
/// </summary>
internal static class SealedFrame
{
    /// <summary>Bytes before the record of an open session.</summary>
    public const int HeadBytes = 5;

    private const byte Opening = 1, Record = 2;
    private const int LengthBytes = 2;

    private static ReadOnlySpan<byte> Magic => "CFS1"u8;

    /// <summary>The frame says that it is sealed.</summary>
    public static bool Is(in Payload frame)
    {
        if (frame.Length < HeadBytes)
        {
            return false;
        }

        Span<byte> head = stackalloc byte[HeadBytes];
        frame.CopyTo(0, head);
        return head.StartsWith(Magic) && head[^1] is Opening or Record;
    }

    /// <summary>The places of a frame's parts. False when the frame is too short for them.</summary>
    /// <param name="frame">A sealed frame.</param>
    /// <param name="opening">The opening; empty in a frame of an open session.</param>
    /// <param name="record">The record.</param>
    public static bool TrySplit(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> opening, out ReadOnlySpan<byte> record)
    {
        opening = record = default;
        if (frame[HeadBytes - 1] == Record)
        {
            record = frame[HeadBytes..];
            return true;
        }

        int start = HeadBytes + LengthBytes;
        int length = frame.Length < start ? int.MaxValue : System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(frame[HeadBytes..]);
        if (length is 0 or > SealLimits.MaxOpeningBytes || frame.Length < start + length)
        {
            return false;
        }

        opening = frame.Slice(start, length);
        record = frame[(start + length)..];
        return true;
    }

    /// <summary>Writes the head of a frame of an open session.</summary>
    public static void WriteHead(Span<byte> to)
    {
        Magic.CopyTo(to);
        to[HeadBytes - 1] = Record;
    }
}
