using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The JSON schema of a manifest (draft 2020-12), made from the same tables that check it.</summary>
public static class ManifestSchema
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema as text.</summary>
    public static string Write()
    {
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "cocaine-fast manifest",
            ["type"] = "object",
            ["required"] = new JsonArray("type", "args", "tasks"),
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["name"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[a-z0-9._-]{1,64}$" },
                ["type"] = new JsonObject { ["enum"] = Array(ManifestKeys.Types) },
                ["args"] = Args(),
                ["version"] = new JsonObject { ["type"] = "integer", ["minimum"] = 0 },
                ["engine"] = Object(ManifestKeys.Engine),
                ["pubsub"] = Object([new KeySpec("endpoint", KeyKind.Endpoints, "the monitoring socket", "required")]),
                ["tasks"] = Tasks(),
            },
        };
        return schema.ToJsonString(Indented);
    }

    private static JsonObject Args() => new()
    {
        ["oneOf"] = new JsonArray(
            new JsonObject { ["type"] = "string" },
            new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("source"),
                ["additionalProperties"] = false,
                ["properties"] = new JsonObject
                {
                    ["source"] = new JsonObject { ["type"] = "string" },
                    ["argv"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
                    ["env"] = new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = "string" } },
                },
            }),
    };

    private static JsonObject Tasks()
    {
        JsonArray drivers = [];
        foreach ((string type, IReadOnlyList<KeySpec> specs) in ManifestKeys.Drivers)
        {
            JsonObject driver = Object(specs);
            driver["properties"]!["type"] = new JsonObject { ["const"] = type };
            JsonArray required = driver["required"] as JsonArray ?? [];
            required.Add("type");
            driver["required"] = required.Parent is null ? required : driver["required"]!.DeepClone();
            drivers.Add(driver);
        }

        return new JsonObject { ["type"] = "object", ["minProperties"] = 1, ["additionalProperties"] = new JsonObject { ["oneOf"] = drivers } };
    }

    private static JsonObject Object(IReadOnlyList<KeySpec> specs)
    {
        JsonObject properties = [];
        foreach (KeySpec spec in specs)
        {
            JsonObject property = Value(spec);
            property["description"] = spec.Meaning;
            properties[spec.Name] = property;
        }

        JsonObject item = new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
        string[] required = [.. specs.Where(spec => spec.IsRequired).Select(spec => spec.Name)];
        if (required.Length > 0)
        {
            item["required"] = Array(required);
        }

        return item;
    }

    private static JsonObject Value(KeySpec spec) => spec.Kind switch
    {
        _ when spec.Choices.Count > 0 => new JsonObject { ["enum"] = Array(spec.Choices) },
        KeyKind.Boolean => new JsonObject { ["type"] = "boolean" },
        KeyKind.Integer or KeyKind.Milliseconds => new JsonObject { ["type"] = "integer", ["minimum"] = spec.Min, ["maximum"] = spec.Max },
        KeyKind.Duration or KeyKind.Bytes => new JsonObject { ["type"] = new JsonArray("number", "string") },
        KeyKind.TextList or KeyKind.Endpoints => new JsonObject
        {
            ["oneOf"] = new JsonArray(
                new JsonObject { ["type"] = "string" },
                new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = new JsonObject { ["type"] = "string" } }),
        },
        _ => new JsonObject { ["type"] = "string" },
    };

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
