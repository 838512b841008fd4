using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>The view of a quarantined job: its head, and the request as text where it is text, else in base64.</summary>
internal static class QuarantineView
{
    /// <summary>Of a longer request the beginning is shown: it goes over a connection, and somebody reads it.</summary>
    private const int MaxShownBytes = 64 << 10;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is not put into HTML
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
