using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// Reads the JSON object of a request. Mistakes are described for the person who typed the request: the JSON reader's own texts name types
/// of this program.
/// </summary>
internal static class ControlRequest
{
    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 16 }; // requests are flat

    /// <summary>Reads a request; an empty one is an object without keys.</summary>
    /// <exception cref="NodeException">The request is not valid for this method (400).</exception>
    public static T Read<T>(string method, ReadOnlyMemory<byte> request)
    {
        using JsonDocument document = Parse(method, request);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"the request of {method} is {KindOf(root)}, and must be a JSON object");
        }

        try
        {
            CheckKeys(method, root, ControlMessages.Json.GetTypeInfo(typeof(T)));
            return root.Deserialize<T>(ControlMessages.Json)!;
        }
        catch (Exception mistake) when (mistake is JsonException or InvalidOperationException)
        {
            throw Wrong($"the request of {method} has a string that is no text: half of a surrogate pair");
        }
    }

    private static JsonDocument Parse(string method, ReadOnlyMemory<byte> request)
    {
        if (!Utf8.IsValid(request.Span))
        {
            throw Wrong($"the request of {method} is not UTF-8");
        }

        try
        {
            return JsonDocument.Parse(request.IsEmpty ? "{}"u8.ToArray() : request, Limits);
        }
        catch (JsonException mistake)
        {
            throw Wrong($"the request of {method} is not JSON: {PlaceOf(mistake)}");
        }
    }

    /// <summary>The place where a text stops being JSON.</summary>
    public static string PlaceOf(JsonException mistake) => FormattableString.Invariant(
        $"it cannot be read from line {(mistake.LineNumber ?? 0) + 1}, byte {(mistake.BytePositionInLine ?? 0) + 1} on");

    private static void CheckKeys(string method, JsonElement root, JsonTypeInfo known)
    {
        int spoken = ProtocolOf(root);
        string[] names = [.. known.Properties.Select(property => property.Name)];
        foreach (JsonProperty given in root.EnumerateObject())
        {
            if (given.NameEquals(ControlMessages.ProtocolKey))
            {
                continue;
            }

            JsonPropertyInfo property = known.Properties.FirstOrDefault(one => given.NameEquals(one.Name))
                ?? throw Wrong(UnknownKey(method, given.Name, names, spoken));
            if (Mismatch(property, given.Value) is { } expected)
            {
                throw Wrong($"the request of {method}: '{property.Name}' is {expected}, not {KindOf(given.Value)}");
            }
        }

        foreach (JsonPropertyInfo property in known.Properties.Where(one => one.IsRequired && !root.TryGetProperty(one.Name, out _)))
        {
            throw Wrong($"the request of {method} needs the key '{property.Name}'");
        }
    }

    /// <summary>The protocol that the client says it speaks; this program's own when the client does not say.</summary>
    private static int ProtocolOf(JsonElement root)
    {
        if (!root.TryGetProperty(ControlMessages.ProtocolKey, out JsonElement given))
        {
            return ControlMessages.Protocol;
        }

        return given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out int number) && number > 0 ? number
            : throw Wrong($"'{ControlMessages.ProtocolKey}' is the number of the control protocol that the client speaks, 1 or more");
    }

    private static string UnknownKey(string method, string key, string[] known, int spoken)
    {
        string shown = JsonPath.Shown(key);
        if (spoken > ControlMessages.Protocol)
        {
            return $"this node speaks control protocol {ControlMessages.Protocol}; the key '{shown}' of {method} is of a newer client, "
                + $"which speaks {spoken}";
        }

        string near = ProblemList.Nearest(key, known);
        string has = known.Length == 0 ? "it has none" : $"it has {string.Join(", ", known)}";
        return $"{method} has no key '{shown}' in control protocol {ControlMessages.Protocol}, which this node speaks; {has}{near}";
    }

    /// <summary>The expected kind of this key's value when the given value is of another kind; otherwise null.</summary>
    private static string? Mismatch(JsonPropertyInfo property, JsonElement value)
    {
        Type? inner = Nullable.GetUnderlyingType(property.PropertyType);
        Type type = inner ?? property.PropertyType;
        bool mayBeNull = inner is not null
            || (!type.IsValueType && (property.AssociatedParameter?.IsNullable ?? property.IsSetNullable));
        if (value.ValueKind == JsonValueKind.Null)
        {
            return mayBeNull ? null : NameOf(type);
        }

        bool fits = type == typeof(bool) ? value.ValueKind is JsonValueKind.True or JsonValueKind.False
            : type == typeof(int) ? value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _)
            : type == typeof(double) ? value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble())
            : value.ValueKind == JsonValueKind.String;
        return fits ? null : NameOf(type);
    }

    private static string NameOf(Type type) => type == typeof(bool) ? "true or false" : type == typeof(int) ? "a whole number"
        : type == typeof(double) ? "a number" : "a string";

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => $"the number {JsonPath.Shown(value.GetRawText())}",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private static NodeException Wrong(string text) => new(text) { Code = ErrorCodes.BadRequest };
}
