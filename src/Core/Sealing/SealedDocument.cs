using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static Cocaine.Fast.Core.Sealing.RsaKeyText;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// Bytes that lie somewhere for several readers: a JWE in its general JSON form (RFC 7516, section 7.2.1), with RSA-OAEP-256 for each
/// reader's key and A256GCM for the bytes. Every library of JOSE opens it.
/// </summary>
internal static class SealedDocument
{
    private const string KeyAlgorithm = "RSA-OAEP-256", ProtectedHead = """{"enc":"A256GCM"}""";
    private const int KeyBytes = 32, VectorBytes = 12, TagBytes = 16, MaxDepth = 8;

    /// <summary>Makes the text, UTF-8.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="readers">The public keys of the readers, one at least.</param>
    public static byte[] Seal(ReadOnlySpan<byte> plain, IReadOnlyList<CallerKey> readers)
    {
        string head = Url(Encoding.ASCII.GetBytes(ProtectedHead));
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes), vector = RandomNumberGenerator.GetBytes(VectorBytes);
        byte[] hidden = new byte[plain.Length], tag = new byte[TagBytes];
        using (AesGcm cipher = new(key, TagBytes))
        {
            cipher.Encrypt(vector, plain, hidden, tag, Encoding.ASCII.GetBytes(head));
        }

        using MemoryStream text = new(1024 + (plain.Length * 4 / 3));
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            json.WriteString("protected", head);
            json.WriteStartArray("recipients");
            foreach (CallerKey reader in readers)
            {
                json.WriteStartObject();
                json.WriteStartObject("header");
                json.WriteString("alg", KeyAlgorithm);
                json.WriteString("kid", reader.Thumbprint);
                json.WriteEndObject();
                json.WriteString("encrypted_key", Url(Wrap(reader.Key, key)));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("iv", Url(vector));
            json.WriteString("ciphertext", Url(hidden));
            json.WriteString("tag", Url(tag));
            json.WriteEndObject();
        }

        CryptographicOperations.ZeroMemory(key);
        return text.ToArray();
    }

    /// <summary>Opens a text with one of the keys.</summary>
    /// <exception cref="CryptographicException">None of the keys is a reader's, or the text was changed; the message tells.</exception>
    public static byte[] Open(ReadOnlySpan<byte> text, KeyRing keys)
    {
        try
        {
            Utf8JsonReader reader = new(text, new JsonReaderOptions { MaxDepth = MaxDepth });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            string head = root.GetProperty("protected").GetString() ?? "";
            if (head != Url(Encoding.ASCII.GetBytes(ProtectedHead)))
            {
                throw new CryptographicException("it is sealed in another way than this");
            }

            foreach (JsonElement one in root.GetProperty("recipients").EnumerateArray())
            {
                JsonElement header = one.GetProperty("header");
                if (header.GetProperty("alg").GetString() == KeyAlgorithm && header.GetProperty("kid").GetString() is { } name
                    && keys.TryGetOwn(name, out OwnKey? own))
                {
                    return Open(root, head, own.Key, Bytes(one, "encrypted_key"));
                }
            }
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CryptographicException("it is not what was written: it was changed or damaged", wrong);
        }

        throw new CryptographicException("it is sealed to other keys than those of this node");
    }

    private static byte[] Open(JsonElement root, string head, RSA own, byte[] wrapped)
    {
        using RSA mine = RSA.Create(own.ExportParameters(true)); // one thread at a time uses a key, and this is another one
        byte[] key = mine.Decrypt(wrapped, RSAEncryptionPadding.OaepSHA256), hidden = Bytes(root, "ciphertext");
        byte[] plain = new byte[hidden.Length], tag = Bytes(root, "tag");
        if (key.Length != KeyBytes || tag.Length != TagBytes)
        {
            throw new CryptographicException("it is not what was written: it was changed or damaged");
        }

        using AesGcm cipher = new(key, TagBytes);
        cipher.Decrypt(Bytes(root, "iv"), hidden, tag, plain, Encoding.ASCII.GetBytes(head));
        CryptographicOperations.ZeroMemory(key);
        return plain;
    }

    private static byte[] Wrap(RSA reader, byte[] key)
    {
        using RSA copy = RSA.Create(reader.ExportParameters(false)); // one thread at a time uses a key, and this is another one
        return copy.Encrypt(key, RSAEncryptionPadding.OaepSHA256);
    }

    private static byte[] Bytes(JsonElement parent, string name) =>
        CompactText.Decode(Encoding.UTF8.GetBytes(parent.GetProperty(name).GetString() ?? ""))
            ?? throw new CryptographicException("it is not what was written: it was changed or damaged");
}
