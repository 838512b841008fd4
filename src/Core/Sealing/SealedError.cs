using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The text of a record that is an error: category 4 bytes, code 4 bytes, big-endian, then the reason.</summary>
internal static class SealedError
{
    private const int HeadBytes = 8;

    /// <summary>The most bytes: the reason is cut like any error's.</summary>
    public const int MaxBytes = HeadBytes + MessageWriter.MaxReasonBytes;

    /// <summary>Writes an error; returns its length.</summary>
    public static int Write(Span<byte> to, int category, int code, ReadOnlySpan<byte> reason)
    {
        reason = MessageWriter.Cut(reason);
        BinaryPrimitives.WriteInt32BigEndian(to, category);
        BinaryPrimitives.WriteInt32BigEndian(to[4..], code);
        reason.CopyTo(to[HeadBytes..]);
        return HeadBytes + reason.Length;
    }

    /// <summary>Reads an error; false when the bytes are too few for one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out int category, out int code, out ReadOnlySpan<byte> reason)
    {
        category = code = 0;
        reason = default;
        if (text.Length < HeadBytes)
        {
            return false;
        }

        category = BinaryPrimitives.ReadInt32BigEndian(text);
        code = BinaryPrimitives.ReadInt32BigEndian(text[4..]);
        reason = text[HeadBytes..];
        return true;
    }
}
