using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Tests.Vectors;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>The keys and messages of seal.json, which other libraries have made, and openings that are wrong in one respect.</summary>
internal static class SealVectors
{
    public static readonly JsonElement All = VectorFile.Read("seal.json");

    public static readonly long NowS = All.GetProperty("now").GetInt64();

    public static readonly string SenderName = Text("sender-thumbprint"), NodeName = Text("node-thumbprint");

    public static readonly byte[] Made = Encoding.ASCII.GetBytes(All.GetProperty("openings")[0].GetProperty("opening").GetString()!);

    public static string Text(string name) => All.GetProperty(name).GetString()!;

    public static RSA Private(string name) => RsaKeyText.ReadPrivate(Text(name));

    public static CallerKey Caller(string key, string name)
    {
        RSA one = Private(key);
        return new CallerKey(name, RsaKeyText.Thumbprint(one), RSA.Create(one.ExportParameters(false)));
    }

    /// <summary>Knows the sender as billing, and a second caller.</summary>
    public static KeyRing Ring()
    {
        RSA node = Private("node");
        return new KeyRing([Caller("sender", "billing"), Caller("other", "other")], [new OwnKey(RsaKeyText.Thumbprint(node), node)]);
    }

    public static SealGate Gate(long startS = 0) => new(Ring(), startS, new OpeningMemory());

    /// <summary>An opening that the product's client makes.</summary>
    public static byte[] Opening(long? nowS = null, string sender = "sender") => Opening(out _, nowS, sender);

    public static byte[] Opening(out SealSession session, long? nowS = null, string sender = "sender")
    {
        using RSA from = Private(sender), to = Private("node");
        session = new OpeningWriter(from, to).Make(nowS ?? NowS, out byte[] opening);
        return opening;
    }

    /// <summary>The members of an opening's content.</summary>
    public static string Claims(string? iss = null, string? aud = null, string? jti = null, string? key = null, long? iat = null) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"iss":"{{iss ?? SenderName}}","aud":"{{aud ?? NodeName}}","iat":{{iat ?? NowS}},"exp":{{NowS + 60}},"""
        + $"\"jti\":\"{jti ?? RsaKeyText.Url(new byte[16])}\",\"key\":\"{key ?? RsaKeyText.Url(new byte[32])}\"}}");

    /// <summary>The inner half, for the node, with any head and content.</summary>
    public static string Wrap(string claims, string? head = null)
    {
        string encoded = RsaKeyText.Url(Encoding.UTF8.GetBytes(head ?? $$"""{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"{{NodeName}}"}"""));
        byte[] key = new byte[32], text = Encoding.UTF8.GetBytes(claims), hidden = new byte[text.Length], tag = new byte[16], vector = new byte[12];
        using AesGcm cipher = new(key, 16);
        cipher.Encrypt(vector, text, hidden, tag, Encoding.ASCII.GetBytes(encoded));
        using RSA node = Private("node");
        return $"{encoded}.{RsaKeyText.Url(node.Encrypt(key, RSAEncryptionPadding.OaepSHA256))}.{RsaKeyText.Url(vector)}.{RsaKeyText.Url(hidden)}.{RsaKeyText.Url(tag)}";
    }

    /// <summary>Signs a content with any head and key.</summary>
    public static byte[] Sign(string content, string? head = null, string sender = "sender")
    {
        string name = sender == "sender" ? SenderName : Caller(sender, "").Thumbprint;
        string encoded = RsaKeyText.Url(Encoding.UTF8.GetBytes(head ?? $$"""{"alg":"PS256","kid":"{{name}}","cty":"JWE"}"""));
        string text = $"{encoded}.{RsaKeyText.Url(Encoding.ASCII.GetBytes(content))}";
        using RSA key = Private(sender);
        return Encoding.ASCII.GetBytes(
            $"{text}.{RsaKeyText.Url(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pss))}");
    }
}
