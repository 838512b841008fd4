using System.Security.Cryptography;
using System.Text;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>Reads RSA keys from PEM, and gives them their names by RFC 7638.</summary>
internal static class RsaKeyText
{
    private const string PublicLabel = "PUBLIC KEY", PrivateLabel = "PRIVATE KEY";

    /// <summary>Reads a public key: SubjectPublicKeyInfo.</summary>
    /// <exception cref="FormatException">The text is something else, or the key is not of the kind that is taken.</exception>
    public static RSA ReadPublic(string pem) => Read(pem, PublicLabel, static (RSA key, ReadOnlySpan<byte> der, out int used) =>
        key.ImportSubjectPublicKeyInfo(der, out used));

    /// <summary>Reads a private key: PKCS#8, not encrypted.</summary>
    /// <exception cref="FormatException">The text is something else, or the key is not of the kind that is taken.</exception>
    public static RSA ReadPrivate(string pem) => Read(pem, PrivateLabel, static (RSA key, ReadOnlySpan<byte> der, out int used) =>
        key.ImportPkcs8PrivateKey(der, out used));

    /// <summary>The thumbprint of a key: SHA-256 over its public part as JSON, in base64url; 43 characters.</summary>
    public static string Thumbprint(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(false);
        string exponent = Url(parameters.Exponent!), modulus = Url(parameters.Modulus!);
        string json = $$"""{"e":"{{exponent}}","kty":"RSA","n":"{{modulus}}"}""";
        return Url(SHA256.HashData(Encoding.ASCII.GetBytes(json)));
    }

    /// <summary>Base64url without padding.</summary>
    public static string Url(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static RSA Read(string pem, string label, Import import)
    {
        if (!PemEncoding.TryFind(pem, out PemFields fields))
        {
            throw new FormatException($"no PEM: expected -----BEGIN {label}-----");
        }

        string found = pem[fields.Label];
        if (found != label)
        {
            throw new FormatException(found == PrivateLabel && label == PublicLabel
                ? "a private key where a public one belongs: everybody who could read this file has it, so make another one"
                : $"expected -----BEGIN {label}-----, found -----BEGIN {found}-----");
        }

        if (pem.AsSpan()[fields.Location.End..].Contains("-----BEGIN", StringComparison.Ordinal))
        {
            throw new FormatException("more than one key: expected one");
        }

        byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
        RSA key = RSA.Create();
        try
        {
            import(key, der, out int used);
            if (used != der.Length)
            {
                throw new FormatException("bytes after the key");
            }

            Check(key);
            return key;
        }
        catch (CryptographicException fault)
        {
            key.Dispose();
            throw new FormatException("not an RSA key", fault);
        }
        catch (FormatException)
        {
            key.Dispose();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    private static void Check(RSA key)
    {
        if (key.KeySize is < SealLimits.MinKeyBits or > SealLimits.MaxKeyBits)
        {
            throw new FormatException(
                $"a key of {key.KeySize} bits: expected {SealLimits.MinKeyBits} to {SealLimits.MaxKeyBits} bits");
        }

        if (!key.ExportParameters(false).Exponent.AsSpan().SequenceEqual<byte>([1, 0, 1]))
        {
            throw new FormatException("the key's public exponent is not 65537");
        }
    }

    private delegate void Import(RSA key, ReadOnlySpan<byte> der, out int used);
}
