using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Writes JSON schemas (draft 2020-12) from the same tables of keys that check files.</summary>
/// <param name="sections">The keys of the objects in the file, by the name of the key that has the object.</param>
/// <param name="tasks">The keys of tasks, by the type of their driver; empty for a file without tasks.</param>
internal sealed class SchemaWriter(
    IReadOnlyDictionary<string, IReadOnlyList<KeySpec>> sections, IReadOnlyList<(string Type, IReadOnlyList<KeySpec> Keys)> tasks)
{
    private const string NamePattern = @"^(?!\.{1,2}$)[a-z0-9._-]{1,64}$";
    private const string TcpPattern = "^tcp://.+:[0-9]{1,5}$";
    private const string EndpointPattern = "^(tcp://.+:[0-9]{1,5}|ipc:///.+)$";
    private const string DurationPattern = @"^\s*[0-9]*\.?[0-9]*\s*(ms|s|m|h|d)$";
    private const string SizePattern = @"^\s*[0-9]*\.?[0-9]*\s*(B|KiB|MiB|GiB)$";

    private const string PartPattern = "^([1-9][0-9]?|100)%$";

    private const string ModePattern = "^0?[67][0-7]{2}$";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the schema is not put into HTML
    };

    /// <summary>The schema as text.</summary>
    /// <param name="title">The title of the schema.</param>
    /// <param name="top">The keys of the whole file.</param>
    public string Write(string title, IReadOnlyList<KeySpec> top)
    {
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = title,
        };
        foreach ((string name, JsonNode? value) in Object(top))
        {
            schema[name] = value?.DeepClone();
        }

        return schema.ToJsonString(Indented);
    }

    private JsonObject Object(IReadOnlyList<KeySpec> specs)
    {
        JsonObject properties = [];
        foreach (KeySpec spec in specs)
        {
            JsonObject property = Value(spec);
            property["description"] = spec.Meaning;
            if (Default(spec) is { } value)
            {
                property["default"] = value;
            }

            properties[spec.Name] = property;
        }

        JsonObject item = new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
        string[] required = [.. specs.Where(spec => spec.IsRequired).Select(spec => spec.Name)];
        if (required.Length > 0)
        {
            item["required"] = Texts(required);
        }

        return item;
    }

    private JsonObject Tasks()
    {
        JsonArray drivers = [];
        foreach ((string type, IReadOnlyList<KeySpec> specs) in tasks)
        {
            JsonObject driver = Object(specs);
            driver["properties"]!["type"] = new JsonObject { ["const"] = type };
            driver["required"] = Texts(["type", .. specs.Where(spec => spec.IsRequired).Select(spec => spec.Name)]);
            drivers.Add(driver);
        }

        return new JsonObject
        {
            ["type"] = "object",
            ["minProperties"] = 1,
            ["additionalProperties"] = new JsonObject { ["oneOf"] = drivers },
        };
    }

    private JsonObject Value(KeySpec spec) => spec.Kind switch
    {
        KeyKind.TextList => OneOrMore(spec.Choices.Count > 0 ? new JsonObject { ["enum"] = Texts(spec.Choices) } : Text(spec)),
        KeyKind.Endpoints => OneOrMore(Pattern(EndpointPattern)),
        KeyKind.Endpoint => Pattern(TcpPattern),
        _ when spec.Choices.Count > 0 => new JsonObject { ["enum"] = Texts(spec.Choices) },
        KeyKind.Boolean => new JsonObject { ["type"] = "boolean" },
        KeyKind.Integer or KeyKind.Milliseconds => new JsonObject { ["type"] = "integer", ["minimum"] = spec.Min, ["maximum"] = spec.Max },
        KeyKind.Part => new JsonObject
        {
            ["type"] = new JsonArray("integer", "string"),
            ["minimum"] = spec.Min,
            ["maximum"] = spec.Max,
            ["pattern"] = PartPattern,
        },
        KeyKind.Duration => new JsonObject
        {
            ["type"] = new JsonArray("number", "string"),
            [spec.Min > 0 ? "exclusiveMinimum" : "minimum"] = 0,
            ["maximum"] = spec.Max / 1000,
            ["pattern"] = DurationPattern,
        },
        KeyKind.Bytes => new JsonObject
        {
            ["type"] = new JsonArray("integer", "string"),
            ["minimum"] = spec.Min,
            ["maximum"] = spec.Max,
            ["pattern"] = SizePattern,
        },
        KeyKind.Words => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
        KeyKind.Variables => new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = "string" } },
        KeyKind.SocketMode => Pattern(ModePattern),
        KeyKind.AbsolutePath => Pattern("^/"),
        KeyKind.CredentialPath => Pattern(@"^(/|\$\{CREDENTIALS_DIRECTORY\}/)"),
        KeyKind.AppName => Pattern(NamePattern),
        KeyKind.Code => new JsonObject { ["oneOf"] = new JsonArray(Text(spec), Object(sections[spec.Name])) },
        KeyKind.Section => Object(sections[spec.Name]),
        KeyKind.NamedSections => new JsonObject { ["type"] = "object", ["additionalProperties"] = Object(sections[spec.Name]) },
        KeyKind.Sections => new JsonObject { ["type"] = "array", ["items"] = Object(sections[spec.Name]) },
        KeyKind.Lists => new JsonObject { ["type"] = "object", ["additionalProperties"] = OneOrMore(Text(spec)) },
        KeyKind.Tasks => Tasks(),
        _ => Text(spec),
    };

    /// <summary>The default as a manifest would have it.</summary>
    private static JsonNode? Default(KeySpec spec) => spec.DefaultValue switch
    {
        null => null,
        string[] texts => Texts(texts),
        bool flag => flag,
        _ when spec.Kind == KeyKind.SocketMode => spec.Default, // its digits are not a number
        _ => double.TryParse(spec.Default, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : spec.Default,
    };

    private static JsonObject Text(KeySpec spec) =>
        spec.AllowsEmpty ? new JsonObject { ["type"] = "string" } : new JsonObject { ["type"] = "string", ["minLength"] = 1 };

    private static JsonObject Pattern(string pattern) => new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject OneOrMore(JsonObject item) => new()
    {
        ["oneOf"] = new JsonArray(item, new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = item.DeepClone() }),
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
