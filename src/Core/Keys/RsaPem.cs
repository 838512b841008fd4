using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Cocaine.Fast.Core.Keys;

/// <summary>RSA keys in PEM files, and the rules for them: a node and the command <c>keys</c> judge a key alike.</summary>
internal static class RsaPem
{
    /// <summary>The longest file of a key: a private key of 16,384 bits has 13 KiB.</summary>
    public const int MaxFileBytes = 16 << 10;

    /// <summary>Shorter keys are too weak (NIST SP 800-131A).</summary>
    public const int LeastBits = 2048;

    /// <summary>Longer keys cost several milliseconds for each use, and a stranger may ask for a use.</summary>
    public const int MostBits = 4096;

    private const string PublicLabel = "PUBLIC KEY", PrivateLabel = "PRIVATE KEY";

    /// <summary>The exponent 65537: smaller ones have been attacked, larger ones make each check slow.</summary>
    private static ReadOnlySpan<byte> Exponent => [1, 0, 1];

    /// <summary>Reads a key; the caller disposes of it.</summary>
    /// <param name="text">A PEM file with one SubjectPublicKeyInfo, or one private key in PKCS#8.</param>
    /// <param name="isPrivate">A private key is expected.</param>
    /// <exception cref="FormatException">The text has no such key; the message says what it has instead.</exception>
    public static RSA Read(string text, bool isPrivate)
    {
        string expected = isPrivate ? PrivateLabel : PublicLabel;
        if (!PemEncoding.TryFind(text, out PemFields fields))
        {
            throw new FormatException($"no PEM of a key is in it: expected '-----BEGIN {expected}-----'");
        }

        string label = text[fields.Label];
        if (label != expected)
        {
            throw new FormatException(!isPrivate && label.EndsWith(PrivateLabel, StringComparison.Ordinal)
                ? "it has a private key, and a public key is expected: move it away, and make a new pair if others could read it"
                : $"it has a '{label}', and a '{expected}' is expected");
        }

        if (PemEncoding.TryFind(text.AsSpan(fields.Location.End.Value), out _))
        {
            throw new FormatException("it has more than one key: each file has one");
        }

        RSA key = RSA.Create();
        try
        {
            key.ImportFromPem(text.AsSpan(fields.Location));
            return key;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new FormatException("its key is no RSA key, or damaged", failure);
        }
    }

    /// <summary>The reason why a key must not be used; null for a good key.</summary>
    public static string? Problem(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(includePrivateParameters: false);
        return key.KeySize < LeastBits ? $"its key has {key.KeySize} bits and is weak: at least {LeastBits} are needed"
            : key.KeySize > MostBits ? $"its key has {key.KeySize} bits and is slow: at most {MostBits} are allowed"
            : !parameters.Exponent.AsSpan().SequenceEqual(Exponent) ? "the exponent of its key is not 65537"
            : null;
    }

    /// <summary>The name of a key that its own bytes give: the SHA-256 thumbprint of RFC 7638, 43 letters of base64url.</summary>
    public static string KeyId(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(includePrivateParameters: false);
        string exponent = Base64Url.EncodeToString(parameters.Exponent), modulus = Base64Url.EncodeToString(parameters.Modulus);
        string json = $$"""{"e":"{{exponent}}","kty":"RSA","n":"{{modulus}}"}""";
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(json)));
    }
}
