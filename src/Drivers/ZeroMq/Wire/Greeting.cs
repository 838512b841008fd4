namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>
/// The bytes that begin a connection. A greeting goes out in steps, because a peer of an older version reads the first step as its own
/// framing (rfc.zeromq.org/spec/23, "Version Negotiation and Backwards Interoperability").
/// </summary>
/// <remarks>
/// greeting = signature version mechanism as-server filler; signature = %xFF padding %x7F; padding = 8OCTET; version = 2OCTET;
/// mechanism = 20OCTET; as-server = OCTET; filler = 31OCTET.
/// </remarks>
internal static class Greeting
{
    public const int SignatureBytes = 10;

    /// <summary>The bytes after the major version.</summary>
    public const int RestBytes = 53;

    /// <summary>The first byte of a greeting: no length of a short frame.</summary>
    public const byte First = 0xff;

    /// <summary>The version of this end: 3.1 has PING and PONG, and SUBSCRIBE and CANCEL as commands.</summary>
    public const byte Major = 3, Minor = 1;

    private const int MechanismBytes = 20;

    /// <summary>The signature. A peer of ZMTP 1.0 reads it as a frame of one byte: an empty identity.</summary>
    public static ReadOnlySpan<byte> Signature => [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];

    /// <summary>A signature, and no length of a long frame in ZMTP 1.0.</summary>
    public static bool IsSignature(ReadOnlySpan<byte> bytes) => bytes[0] == First && (bytes[SignatureBytes - 1] & 1) == 1;

    /// <summary>The rest of this end's greeting: the minor version, the mechanism NULL, and zeros.</summary>
    public static ReadOnlySpan<byte> Rest =>
    [
        Minor, (byte)'N', (byte)'U', (byte)'L', (byte)'L', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>Reads the rest of a peer's greeting; returns the mistake, or null.</summary>
    public static string? ReadRest(ReadOnlySpan<byte> rest, out int minor)
    {
        minor = rest[0];
        ReadOnlySpan<byte> mechanism = rest.Slice(1, MechanismBytes).TrimEnd((byte)0);
        return mechanism.SequenceEqual("NULL"u8) ? null
            : $"the mechanism {WireText.Shown(mechanism)} is not spoken here: only NULL is, which has no keys";
    }
}
