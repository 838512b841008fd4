using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cocaine.Fast.Node.Control;

/// <summary>The format of the control service's messages: docs/control.md.</summary>
internal static class ControlMessages
{
    /// <summary>The most bytes of a request: a manifest of the largest size, escaped as JSON, and the rest of its request.</summary>
    public const int MaxRequestBytes = 8 << 20;

    /// <summary>
    /// The control protocol of this program. The number rises with each method, key or value that a client may need to know about before it
    /// uses it. Protocol 1 had no method <c>version</c>, protocol 2 none <c>cluster</c>, and protocol 3 none <c>rollout</c>,
    /// <c>publish</c> and <c>stats</c>.
    /// </summary>
    public const int Protocol = 4;

    /// <summary>A key of every request: the protocol that the client speaks. Nodes of protocol 1 do not know it.</summary>
    public const string ProtocolKey = "protocol";

    /// <summary>
    /// Names as in manifests. Unknown keys are skipped: <see cref="ControlRequest"/> has checked those of a request, and an answer may come
    /// from a newer node.
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
