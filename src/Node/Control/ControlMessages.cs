using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cocaine.Fast.Node.Control;

/// <summary>The requests of the control service, and how they are written: docs/control.md.</summary>
internal static class ControlMessages
{
    /// <summary>A manifest of the largest size, escaped as JSON, and the rest of its request.</summary>
    public const int MaxRequestBytes = 8 << 20;

    /// <summary>
    /// The control protocol that is spoken here. It is raised with each method, key or value that a client may want to know of before it
    /// uses it. 1 had no method <c>version</c>.
    /// </summary>
    public const int Protocol = 2;

    /// <summary>A key of every request: the protocol that the client speaks. Nodes of protocol 1 do not know it.</summary>
    public const string ProtocolKey = "protocol";

    /// <summary>
    /// Names as in manifests. Unknown keys are passed over: those of a request were checked by <see cref="ControlRequest"/>, and an answer
    /// may be of a newer node.
    /// </summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        MaxDepth = 16,
    };
}

/// <summary><c>create</c>, which may wait for the first slave; <c>replace</c>, which always does and may be forced.</summary>
internal sealed record ManifestRequest(string Manifest, string Path, bool Force = false, bool Wait = false);

/// <summary><c>pause</c>, <c>resume</c>, <c>restart</c>.</summary>
internal sealed record AppRequest(string App);

/// <summary><c>info</c>: of an app, or of the node.</summary>
internal sealed record InfoRequest(string? App = null);

/// <summary><c>list</c>, <c>version</c>.</summary>
internal sealed record EmptyRequest;

/// <summary><c>delete</c>; times in seconds.</summary>
internal sealed record DeleteRequest(string App, double DrainTimeout = 30);

/// <summary><c>scale</c>.</summary>
internal sealed record ScaleRequest(string App, int? Minimum = null, int? Limit = null);

/// <summary><c>logs</c>.</summary>
internal sealed record LogsRequest(string App, bool Follow = false);

/// <summary><c>events</c>.</summary>
internal sealed record EventsRequest(string? App = null, bool Follow = false);

/// <summary><c>quarantine</c>: <c>list</c>, <c>show</c>, <c>replay</c>, <c>drop</c>.</summary>
internal sealed record QuarantineRequest(string Action, string? App = null, string? Id = null);

/// <summary>The answer to <c>replace</c>.</summary>
internal sealed record ReplaceAnswer(string App, int FromVersion, int ToVersion, bool Replaced, string? Reason = null);

/// <summary>The answer to <c>restart</c>.</summary>
internal sealed record RestartAnswer(string App, int Version, bool Restarted, string? Reason = null, string? Note = null);

/// <summary>The answer where there is nothing to say but that it is done.</summary>
internal sealed record DoneAnswer(string App);
