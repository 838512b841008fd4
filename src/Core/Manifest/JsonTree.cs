using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>A JSON value that knows where it stood.</summary>
internal sealed class JsonTree
{
    public required JsonValueKind Kind { get; init; }

    /// <summary>Byte offset of its first character.</summary>
    public required long Offset { get; init; }

    public string Text { get; init; } = "";

    public double Number { get; init; }

    public List<JsonMember> Members { get; } = [];

    public List<JsonTree> Items { get; } = [];

    public JsonTree? this[string name] => Members.FindLast(member => member.Name == name)?.Value;

    /// <summary>Its type, as a message says it.</summary>
    public string KindName => Kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the string \"{(Text.Length > 40 ? Text[..40] + "…" : Text)}\"",
        JsonValueKind.Number => FormattableString.Invariant($"the number {Number}"),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    /// <summary>Reads a document. Comments and trailing commas are allowed.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JsonTree Parse(ReadOnlySpan<byte> utf8)
    {
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions
        {
            AllowTrailingCommas = true,
            CommentHandling = JsonCommentHandling.Skip,
            MaxDepth = 32, // a manifest needs 5
        });
        reader.Read();
        JsonTree tree = ReadValue(ref reader);
        reader.Read(); // what follows the document is a mistake, which this throws
        return tree;
    }

    private static JsonTree ReadValue(ref Utf8JsonReader reader)
    {
        long offset = reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                JsonTree item = new() { Kind = JsonValueKind.Object, Offset = offset };
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    long at = reader.TokenStartIndex;
                    string name = reader.GetString()!;
                    reader.Read();
                    item.Members.Add(new JsonMember(name, at, ReadValue(ref reader)));
                }

                return item;
            case JsonTokenType.StartArray:
                JsonTree list = new() { Kind = JsonValueKind.Array, Offset = offset };
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Items.Add(ReadValue(ref reader));
                }

                return list;
            case JsonTokenType.String:
                return new JsonTree { Kind = JsonValueKind.String, Offset = offset, Text = reader.GetString()! };
            case JsonTokenType.Number:
                return new JsonTree { Kind = JsonValueKind.Number, Offset = offset, Number = reader.GetDouble() };
            case JsonTokenType.True or JsonTokenType.False:
                return new JsonTree { Kind = reader.GetBoolean() ? JsonValueKind.True : JsonValueKind.False, Offset = offset };
            default:
                return new JsonTree { Kind = JsonValueKind.Null, Offset = offset };
        }
    }
}

/// <summary>A member of an object and where its name stood.</summary>
internal sealed record JsonMember(string Name, long Offset, JsonTree Value);
