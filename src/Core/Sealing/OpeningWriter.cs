using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using static Cocaine.Fast.Core.Sealing.RsaKeyText;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// Makes openings: a JWS of the sender around a JWE for the node around the key of a session. The signature is outside, so that the node
/// spends its private key on known senders only.
/// </summary>
/// <param name="sender">The sender's private key.</param>
/// <param name="node">The node's public key.</param>
internal sealed class OpeningWriter(RSA sender, RSA node)
{
    private const int KeyBytes = 32, VectorBytes = 12, TagBytes = 16, NumberBytes = 16;

    private readonly string _sender = Thumbprint(sender);
    private readonly string _node = Thumbprint(node);

    /// <summary>Makes an opening and the session that it opens, for the side of the sender. One thread at a time.</summary>
    /// <param name="nowS">The time, in seconds since 1970.</param>
    /// <param name="opening">The opening for the node, ASCII.</param>
    public SealSession Make(long nowS, out byte[] opening)
    {
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes), number = RandomNumberGenerator.GetBytes(NumberBytes);
        string times = string.Create(CultureInfo.InvariantCulture, $"\"iat\":{nowS},\"exp\":{nowS + SealLimits.MaxOpeningAgeS}");
        string names = $"\"iss\":\"{_sender}\",\"aud\":\"{_node}\"";
        byte[] claims = Encoding.ASCII.GetBytes($"{{{names},{times},\"jti\":\"{Url(number)}\",\"key\":\"{Url(key)}\"}}");
        opening = Sign(Encrypt(claims));
        SealSession session = new(new OpeningSecret(opening, key), OpeningSecret.SessionId(opening), SealSide.Client, name: "", _sender);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(claims);
        return session;
    }

    private string Encrypt(byte[] claims)
    {
        string head = Url(Encoding.ASCII.GetBytes($$"""{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"{{_node}}"}"""));
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes), vector = RandomNumberGenerator.GetBytes(VectorBytes);
        byte[] hidden = new byte[claims.Length], tag = new byte[TagBytes];
        using AesGcm cipher = new(key, TagBytes);
        cipher.Encrypt(vector, claims, hidden, tag, Encoding.ASCII.GetBytes(head));
        string wrapped = Url(node.Encrypt(key, RSAEncryptionPadding.OaepSHA256));
        CryptographicOperations.ZeroMemory(key);
        return $"{head}.{wrapped}.{Url(vector)}.{Url(hidden)}.{Url(tag)}";
    }

    private byte[] Sign(string content)
    {
        string head = Url(Encoding.ASCII.GetBytes($$"""{"alg":"PS256","kid":"{{_sender}}","cty":"JWE"}"""));
        string text = $"{head}.{Url(Encoding.ASCII.GetBytes(content))}";
        byte[] signature = sender.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        return Encoding.ASCII.GetBytes($"{text}.{Url(signature)}");
    }
}
