using System.Buffers.Binary;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The command that ends the handshake of the mechanism NULL, and its properties.</summary>
/// <remarks>
/// ready = %d5 "READY" metadata; metadata = *property; property = name value; name = OCTET 1*255name-char; value = 4OCTET *OCTET
/// (rfc.zeromq.org/spec/23).
/// </remarks>
internal static class ReadyCommand
{
    /// <summary>The longest READY of this end.</summary>
    public const int MaxBytes = 64;

    private const int ValueLengthBytes = 4;

    private static ReadOnlySpan<byte> Name => "\u0005READY"u8;

    private static ReadOnlySpan<byte> SocketType => "Socket-Type"u8;

    private static ReadOnlySpan<byte> Identity => "Identity"u8;

    /// <summary>Writes this end's READY with its head; returns the bytes.</summary>
    public static int Write(Span<byte> to, SocketKind own)
    {
        ReadOnlySpan<byte> type = SocketKinds.NameOf(own);
        int length = Name.Length + 1 + SocketType.Length + ValueLengthBytes + type.Length;
        int at = FrameHead.WriteCommand(to, length);
        Name.CopyTo(to[at..]);
        at += Name.Length;
        to[at++] = (byte)SocketType.Length;
        SocketType.CopyTo(to[at..]);
        at += SocketType.Length;
        BinaryPrimitives.WriteInt32BigEndian(to[at..], type.Length);
        at += ValueLengthBytes;
        type.CopyTo(to[at..]);
        return at + type.Length;
    }

    /// <summary>Reads the properties after the name of the command; returns the mistake, or null.</summary>
    public static string? Read(ReadOnlySpan<byte> metadata, out SocketKind kind, out ReadOnlySpan<byte> identity)
    {
        kind = default;
        identity = default;
        bool hasKind = false;
        for (int count = 0; !metadata.IsEmpty; count++)
        {
            if (count == WireLimits.MaxProperties)
            {
                return $"READY has more than {WireLimits.MaxProperties} properties";
            }

            if (!TryTake(ref metadata, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            {
                return "READY has a property that does not end";
            }

            if (IsNamed(name, SocketType))
            {
                if (hasKind || !SocketKinds.TryRead(value, out kind))
                {
                    return hasKind ? "READY has two socket types" : $"{WireText.Shown(value)} is no socket type";
                }

                hasKind = true;
            }
            else if (IsNamed(name, Identity))
            {
                identity = value;
            }
        }

        return hasKind ? null : "READY has no socket type";
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        int nameLength = rest[0];
        if (nameLength == 0 || rest.Length < 1 + nameLength + ValueLengthBytes)
        {
            return false;
        }

        name = rest.Slice(1, nameLength);
        rest = rest[(1 + nameLength)..];
        uint valueLength = BinaryPrimitives.ReadUInt32BigEndian(rest);
        rest = rest[ValueLengthBytes..];
        if (valueLength > (uint)rest.Length)
        {
            return false;
        }

        value = rest[..(int)valueLength];
        rest = rest[(int)valueLength..];
        return true;
    }

    /// <summary>Names are the same in capitals and in small letters.</summary>
    private static bool IsNamed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) => System.Text.Ascii.EqualsIgnoreCase(name, known);
}
