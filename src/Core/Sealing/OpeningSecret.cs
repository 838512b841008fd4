using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The result of an opening on both sides: the number of the session, and the bytes from which its keys are made.</summary>
/// <param name="opening">The opening as it goes over the wire.</param>
/// <param name="key">The 32 bytes that the sender has chosen.</param>
internal readonly ref struct OpeningSecret(ReadOnlySpan<byte> opening, ReadOnlySpan<byte> key)
{
    /// <summary>Bytes of a session's number.</summary>
    public const int SessionIdBytes = 16;

    private readonly ReadOnlySpan<byte> _opening = opening;
    private readonly ReadOnlySpan<byte> _key = key;

    /// <summary>Makes one direction's key and the first bytes of its nonces.</summary>
    /// <param name="toNode">The direction.</param>
    /// <param name="bytes">Gets the key, then the prefix: <see cref="SealDirection.SecretBytes"/>.</param>
    public void Derive(bool toNode, Span<byte> bytes)
    {
        Span<byte> salt = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_opening, salt);
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256, _key, bytes, salt, toNode ? "cocaine-fast seal 1 to-node"u8 : "cocaine-fast seal 1 to-client"u8);
    }

    /// <summary>The number of the session that an opening opens: the first bytes of its hash.</summary>
    public static UInt128 SessionId(ReadOnlySpan<byte> opening)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(opening, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
