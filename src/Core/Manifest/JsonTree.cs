using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Cocaine.Fast.Core.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>A JSON value that knows its place in the file.</summary>
internal sealed class JsonTree
{
    public required JsonValueKind Kind { get; init; }

    /// <summary>Byte offset of the value's first character.</summary>
    public required long Offset { get; init; }

    /// <summary>The letters of a string; the digits of a number, as they were written.</summary>
    public string Text { get; init; } = "";

    public double Number { get; init; }

    public List<JsonMember> Members { get; } = [];

    public List<JsonTree> Items { get; } = [];

    /// <summary>The member with that name; the first one when there are several. The checks look at the same one.</summary>
    public JsonTree? this[string name] => Members.Find(member => member.Name == name)?.Value;

    /// <summary>The value's type, as a message says it.</summary>
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
    /// <exception cref="JsonException">The document is not JSON.</exception>
    /// <exception cref="JsonTextException">A string in the document is no valid text.</exception>
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
        reader.Read(); // anything after the document is a mistake, and this call throws for it
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
        catch (InvalidOperationException) // expected: the escape is half of a pair
        {
            throw new JsonTextException(reader.TokenStartIndex, "a \\u escape of the string is half of a surrogate pair");
        }
    }
}

/// <summary>The JSON is correct by its grammar, but a string in it is no valid text.</summary>
internal sealed class JsonTextException(long offset, string message) : Exception(message)
{
    /// <summary>Byte offset of the string.</summary>
    public long Offset { get; } = offset;
}

/// <summary>A member of an object, and the place of its name.</summary>
internal sealed record JsonMember(string Name, long Offset, JsonTree Value);

/// <summary>Turns the bytes of a file into its tree, or into the mistakes in them: the common part of manifests and configs.</summary>
internal static class JsonText
{
    /// <summary>The largest file: a manifest has some kilobytes.</summary>
    public const int MaxFileBytes = 1 << 20;

    /// <summary>The most files of a folder that are compared with a name that is not there.</summary>
    private const int MaxFiles = 1000;

    /// <summary>The bytes of a file, which may be one byte over the bound; null with the problem.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">The expected kind, as a message says it: "manifest".</param>
    /// <param name="problem">Why there are no bytes.</param>
    public static byte[]? ReadFile(string path, string kind, out string problem)
    {
        problem = "";
        try
        {
            if (Directory.Exists(path))
            {
                problem = $"a folder is no {kind}";
                return null;
            }

            // The bound is checked by reading, not by the file's length: a pipe has no length, and /dev/zero has no end.
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            byte[] bytes = new byte[MaxFileBytes + 1];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = $"there is no such file{NearestFile(path)}";
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            problem = failure.Message;
            return null;
        }
    }

    /// <summary>Returns "; did you mean 'hello.json'?" when the folder has a file with a similar name.</summary>
    private static string NearestFile(string path)
    {
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
            IEnumerable<string> files = Directory.Exists(folder)
                ? Directory.EnumerateFiles(folder).Take(MaxFiles).Select(file => Path.GetFileName(file)) : [];
            return ProblemList.Nearest(Path.GetFileName(path), files);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return ""; // the folder cannot be listed
        }
    }

    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> mark = [0xef, 0xbb, 0xbf];
        return utf8.StartsWith(mark) ? utf8[mark.Length..] : utf8;
    }

    /// <summary>The tree of an object; null when the text is not an object, which is reported.</summary>
    public static JsonTree? Parse(ReadOnlySpan<byte> utf8, ProblemList problems, string kind)
    {
        if (!Utf8.IsValid(utf8))
        {
            bool isUtf16 = utf8 is [0xff, 0xfe, ..] or [0xfe, 0xff, ..];
            problems.Add(isUtf16 ? 0 : OffsetOfInvalid(utf8), "$", isUtf16 ? "not UTF-8 but UTF-16: save it as UTF-8" : "not UTF-8");
            return null;
        }

        if (utf8.Trim(" \t\r\n"u8).IsEmpty)
        {
            problems.Add(0, "$", $"not JSON: there is nothing in the file; a {kind} is an object");
            return null;
        }

        try
        {
            JsonTree root = JsonTree.Parse(utf8);
            if (root.Kind == JsonValueKind.Object)
            {
                return root;
            }

            problems.Add(root.Offset, "$", $"a {kind} is an object, found {root.KindName}");
        }
        catch (JsonTextException mistake)
        {
            problems.Add(mistake.Offset, "$", $"not JSON: {mistake.Message}");
        }
        catch (JsonException mistake)
        {
            string words = mistake.Message.Split(" LineNumber")[0].Split(" Path:")[0];
            JsonMistake meant = JsonMistake.Of(utf8, OffsetOf(utf8, mistake), words, kind);
            problems.Add(meant.Offset, "$", meant.Message);
        }

        return null;
    }

    private static int OffsetOfInvalid(ReadOnlySpan<byte> utf8)
    {
        char[] text = new char[utf8.Length];
        OperationStatus status = Utf8.ToUtf16(utf8, text, out int valid, out _, replaceInvalidSequences: false);
        return status == OperationStatus.Done ? 0 : valid;
    }

    private static long OffsetOf(ReadOnlySpan<byte> utf8, JsonException mistake)
    {
        int offset = 0;
        for (long line = mistake.LineNumber ?? 0; line > 0; line--)
        {
            int end = utf8[offset..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            offset += end + 1;
        }

        return offset + (mistake.BytePositionInLine ?? 0);
    }
}
