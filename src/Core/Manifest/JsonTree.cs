using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>A JSON value that knows where it stood.</summary>
internal sealed class JsonTree
{
    public required JsonValueKind Kind { get; init; }

    /// <summary>Byte offset of its first character.</summary>
    public required long Offset { get; init; }

    /// <summary>Of a string, its letters; of a number, its digits as they were written.</summary>
    public string Text { get; init; } = "";

    public double Number { get; init; }

    public List<JsonMember> Members { get; } = [];

    public List<JsonTree> Items { get; } = [];

    /// <summary>The member of that name, the first one when there are more: the one that is checked.</summary>
    public JsonTree? this[string name] => Members.Find(member => member.Name == name)?.Value;

    /// <summary>Its type, as a message says it.</summary>
    public string KindName => Kind switch
    {
        JsonValueKind.Object => Members.Count > 0 ? "an object" : "an empty object",
        JsonValueKind.Array => Items.Count > 0 ? "a list" : "an empty list",
        JsonValueKind.String when Text.Length == 0 => "an empty string",
        JsonValueKind.String => $"the string \"{JsonPath.Shown(Text)}\"",
        JsonValueKind.Number => $"the number {JsonPath.Shown(Text)}",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    /// <summary>Reads a document. Comments and trailing commas are allowed.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="JsonTextException">One of its strings is no text.</exception>
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
                    string name = Read(in reader);
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
                return new JsonTree { Kind = JsonValueKind.String, Offset = offset, Text = Read(in reader) };
            case JsonTokenType.Number:
                return new JsonTree
                {
                    Kind = JsonValueKind.Number,
                    Offset = offset,
                    Text = Encoding.ASCII.GetString(reader.ValueSpan),
                    Number = reader.GetDouble(),
                };
            case JsonTokenType.True or JsonTokenType.False:
                return new JsonTree { Kind = reader.GetBoolean() ? JsonValueKind.True : JsonValueKind.False, Offset = offset };
            default:
                return new JsonTree { Kind = JsonValueKind.Null, Offset = offset };
        }
    }

    private static string Read(in Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException) // expected: an escape that is half of a pair
        {
            throw new JsonTextException(reader.TokenStartIndex, "a \\u escape of the string is half of a surrogate pair");
        }
    }
}

/// <summary>JSON by its grammar, but a string in it is no text.</summary>
internal sealed class JsonTextException(long offset, string message) : Exception(message)
{
    /// <summary>Byte offset of the string.</summary>
    public long Offset { get; } = offset;
}

/// <summary>A member of an object and where its name stood.</summary>
internal sealed record JsonMember(string Name, long Offset, JsonTree Value);
