using System.Security.Cryptography;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// Reads openings. Algorithms are compared with constants; the message never chooses one. The signature is checked before the private key
/// is used, and the names inside must be those outside: a stranger that takes the signature off and signs anew changes only the outer one.
/// </summary>
internal static class OpeningReader
{
    private const int KeyBytes = 32, VectorBytes = 12, TagBytes = 16, NumberBytes = 16;

    /// <summary>The longest content: two thumbprints, two times, a number and a key need 270 bytes.</summary>
    private const int MaxContentBytes = 1024;

    /// <summary>Checks the form and signature of an opening. The result is the sender, and the signed content.</summary>
    public static SealFault Verify(ReadOnlySpan<byte> opening, KeyRing keys, out CallerKey? sender, out byte[] content)
    {
        sender = null;
        content = [];
        Span<Range> parts = stackalloc Range[3];
        if (opening.Length > SealLimits.MaxOpeningBytes || !CompactText.TrySplit(opening, parts)
            || CompactText.Decode(opening[parts[0]]) is not { } head
            || CompactText.ReadFlat(head, "alg", "kid", "cty") is not ["PS256", string name, "JWE"]
            || !keys.TryGetCaller(name, out CallerKey? caller)
            || CompactText.Decode(opening[parts[1]]) is not { } signed
            || CompactText.Decode(opening[parts[2]]) is not { } signature)
        {
            return SealFault.CannotOpen;
        }

        ReadOnlySpan<byte> text = opening[..parts[1].End.Value];
        if (signature.Length != caller.Key.KeySize / 8
            || !caller.Key.VerifyData(text, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
        {
            return SealFault.CannotOpen;
        }

        (sender, content) = (caller, signed);
        return SealFault.None;
    }

    /// <summary>Opens the content of an opening with a right signature: the costly part, 1.4 ms with a key of 3072 bits.</summary>
    public static SealFault Unwrap(ReadOnlySpan<byte> content, CallerKey sender, KeyRing keys, out OpeningClaims claims)
    {
        claims = default;
        Span<Range> parts = stackalloc Range[5];
        if (!CompactText.TrySplit(content, parts)
            || CompactText.Decode(content[parts[0]]) is not { } head
            || CompactText.ReadFlat(head, "alg", "enc", "kid") is not ["RSA-OAEP-256", "A256GCM", string name]
            || !keys.TryGetOwn(name, out OwnKey? own)
            || CompactText.Decode(content[parts[1]]) is not { } wrapped || wrapped.Length != own.Key.KeySize / 8
            || CompactText.Decode(content[parts[2]]) is not { Length: VectorBytes } vector
            || CompactText.Decode(content[parts[3]]) is not { Length: <= MaxContentBytes } hidden
            || CompactText.Decode(content[parts[4]]) is not { Length: TagBytes } tag)
        {
            return SealFault.CannotOpen;
        }

        try
        {
            byte[] key = own.Key.Decrypt(wrapped, RSAEncryptionPadding.OaepSHA256);
            if (key.Length != KeyBytes)
            {
                return SealFault.CannotOpen;
            }

            using AesGcm cipher = new(key, TagBytes);
            cipher.Decrypt(vector, hidden, tag, hidden, content[parts[0]]);
            CryptographicOperations.ZeroMemory(key);
        }
        catch (CryptographicException)
        {
            return SealFault.CannotOpen;
        }

        bool isRead = TryRead(hidden, sender.Thumbprint, name, out claims);
        CryptographicOperations.ZeroMemory(hidden);
        return isRead ? SealFault.None : SealFault.CannotOpen;
    }

    private static bool TryRead(byte[] text, string sender, string node, out OpeningClaims claims)
    {
        claims = default;
        if (CompactText.ReadFlat(text, "iss", "aud", "iat", "exp", "jti", "key")
                is not [string from, string to, long issued, long ends, string number, string key]
            || from != sender || to != node || ends < issued || ends - issued > SealLimits.MaxOpeningAgeS
            || CompactText.Decode(System.Text.Encoding.ASCII.GetBytes(number)) is not { Length: NumberBytes } id
            || CompactText.Decode(System.Text.Encoding.ASCII.GetBytes(key)) is not { Length: KeyBytes } secret)
        {
            return false;
        }

        claims = new OpeningClaims(issued, ends, System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(id), secret);
        return true;
    }
}

/// <summary>The content of an opening.</summary>
/// <param name="IssuedS">The time of its making, in seconds since 1970.</param>
/// <param name="EndsS">The time after which it is worthless.</param>
/// <param name="Number">A number that no other opening has.</param>
/// <param name="Key">The key of the session: 32 bytes.</param>
internal readonly record struct OpeningClaims(long IssuedS, long EndsS, UInt128 Number, byte[] Key);
