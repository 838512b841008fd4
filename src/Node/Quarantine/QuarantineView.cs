using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>The view of a quarantined job: its head, and the request as text if it is text, otherwise in base64.</summary>
internal static class QuarantineView
{
    /// <summary>The most bytes of a request that are shown: they go over a connection, and a person reads them.</summary>
    private const int MaxShownBytes = 64 << 10;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the text is not put into HTML
    };

    public static string Write(StoredJob job)
    {
        JsonObject shown = JsonNode.Parse(job.Head)!.AsObject();
        ReadOnlySpan<byte> request = job.Payload.Span;
        shown["request-bytes"] = request.Length;
        if (request.Length > MaxShownBytes)
        {
            request = request[..MaxShownBytes];
            shown["shown-bytes"] = MaxShownBytes;
        }

        bool isText = Utf8.IsValid(request);
        shown[isText ? "request" : "request-base64"] =
            isText ? System.Text.Encoding.UTF8.GetString(request) : Convert.ToBase64String(request);
        return shown.ToJsonString(Indented);
    }
}
