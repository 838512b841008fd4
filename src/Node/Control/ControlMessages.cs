using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cocaine.Fast.Node.Control;

/// <summary>How the messages of the control service are written: docs/control.md.</summary>
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
