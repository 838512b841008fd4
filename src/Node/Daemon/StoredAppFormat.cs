using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cocaine.Fast.Core.Digests;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// The format of an app's file: one JSON object with the manifest's original text, the path of its file, and a digest of both. The manifest
/// is read again at each start, so that a newer node can understand more of it.
/// </summary>
internal static class StoredAppFormat
{
    private const int Version = 1;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for people who read it; the text is not put into HTML
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    public static byte[] Write(ManifestText manifest)
    {
        string text = Encoding.UTF8.GetString(manifest.Utf8.Span);
        Envelope envelope = new(Version, manifest.FilePath, DigestOf(manifest.FilePath, text), text);
        return JsonSerializer.SerializeToUtf8Bytes(envelope, Options);
    }

    /// <exception cref="FormatException">The file is not as it was written.</exception>
    public static ManifestText Read(byte[] bytes)
    {
        Envelope envelope;
        try
        {
            envelope = JsonSerializer.Deserialize<Envelope>(bytes, Options) ?? throw new FormatException("it is null");
        }
        catch (JsonException mistake)
        {
            throw new FormatException(bytes.Length == 0 ? "it is empty" : "it is not the JSON that was written", mistake);
        }

        if (envelope.Format != Version)
        {
            throw new FormatException($"it has the format {envelope.Format}, and this node knows {Version}");
        }

        if (envelope.Sha256 != DigestOf(envelope.Path, envelope.Manifest))
        {
            throw new FormatException("its digest is another: the file was changed or damaged");
        }

        return new ManifestText(Encoding.UTF8.GetBytes(envelope.Manifest), envelope.Path);
    }

    private static string DigestOf(string path, string text) => Sha256.HexOf(Encoding.UTF8.GetBytes($"{path}\0{text}"));

    private sealed record Envelope(int Format, string Path, string Sha256, string Manifest);
}
