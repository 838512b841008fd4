using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads the values of an object by its table of keys. Every mistake is reported, and every good value is kept.</summary>
internal sealed class KeyReader(ProblemList problems)
{
    /// <summary>
    /// Good values by key: string, string[], long, bool, a dictionary of strings; for objects with a table of their own, the JSON. Times
    /// are in ms, sizes in bytes.
    /// </summary>
    public Dictionary<string, object> Read(JsonTree item, string path, IReadOnlyList<KeySpec> specs, params string[] alsoKnown)
    {
        Dictionary<string, object> values = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in item.Members)
        {
            string at = JsonPath.Member(path, member.Name);
            KeySpec? spec = specs.FirstOrDefault(known => known.Name == member.Name);
            if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, at, "the key stands here twice");
            }
            else if (spec is not null)
            {
                if (ReadValue(spec, member.Value, at) is { } value)
                {
                    values[member.Name] = value;
                }
            }
            else if (!alsoKnown.Contains(member.Name))
            {
                problems.Unknown(member, at, specs.Select(known => known.Name).Concat(alsoKnown));
            }
        }

        foreach (KeySpec spec in specs.Where(spec => spec.IsRequired && !seen.Contains(spec.Name)))
        {
            problems.Add(item.Offset, path, $"the key '{spec.Name}' is missing: {spec.Expected}");
        }

        return values;
    }

    /// <summary>The items of a list with their places; a string counts as a list of one.</summary>
    public static IEnumerable<(JsonTree Value, string Path)> Items(JsonTree value, string path) => value.Kind == JsonValueKind.Array
        ? value.Items.Select((item, index) => (item, FormattableString.Invariant($"{path}[{index}]")))
        : [(value, path)];

    /// <summary>One value; null when it was wrong, which is reported.</summary>
    public object? ReadValue(KeySpec spec, JsonTree value, string path)
    {
        switch (spec.Kind)
        {
            case KeyKind.TextList or KeyKind.Endpoints or KeyKind.Words:
                return ReadList(spec, value, path);
            case KeyKind.Variables:
                return ReadVariables(spec, value, path);
            case KeyKind.Code when value.Kind is JsonValueKind.String or JsonValueKind.Object:
            case KeyKind.Section or KeyKind.NamedSections or KeyKind.Lists when value.Kind == JsonValueKind.Object:
            case KeyKind.Sections when value.Kind == JsonValueKind.Array:
            case KeyKind.Tasks when value.Kind == JsonValueKind.Object && value.Members.Count > 0:
                return value;
            case KeyKind.Code or KeyKind.Section or KeyKind.NamedSections or KeyKind.Sections or KeyKind.Lists or KeyKind.Tasks:
                problems.Wrong(value, path, spec.Expected);
                return null;
            default:
                return ReadSingle(spec, value, path);
        }
    }

    private object? ReadSingle(KeySpec spec, JsonTree value, string path)
    {
        object? read = KeyValues.Of(spec, value);
        switch (read)
        {
            case null:
            case long low when low < spec.Min:
                problems.Wrong(value, path, spec.Expected);
                return null;
            case long high when high > spec.Max:
                string most = spec.Expected.Contains(KeyValues.Written(spec, spec.Max), StringComparison.Ordinal)
                    ? spec.Expected : $"at most {KeyValues.Written(spec, spec.Max)}{(spec.Kind == KeyKind.Milliseconds ? " ms" : "")}";
                problems.Wrong(value, path, most);
                return null;
            case long size when spec.IsPowerOfTwo && (size & (size - 1)) != 0:
                problems.Add(value.Offset, path, $"a ring's size is a power of two: {KeyValues.NearestPowerOfTwo(size)} is the nearest");
                return null;
            case string when spec.Check?.Invoke(value) is { } mistake:
                Report(spec, value, path, mistake);
                return mistake.IsWarning ? read : null;
            case string text when !IsGood(spec, text):
                problems.Wrong(value, path, spec.Expected, spec.Choices);
                return null;
            default:
                return read;
        }
    }

    private static bool IsGood(KeySpec spec, string text) => !text.Contains('\0') && spec.Kind switch
    {
        _ when spec.Choices.Count > 0 => spec.Choices.Contains(text),
        KeyKind.AbsolutePath => text.StartsWith('/'),
        KeyKind.CredentialPath => text.StartsWith('/') || CredentialPath.IsCredential(text),
        KeyKind.AppName => IsAppName(text),
        _ => true,
    };

    /// <summary>Names become names of files, so "." and ".." are not allowed.</summary>
    public static bool IsAppName(string text) => text.Length is > 0 and <= 64 && text is not ("." or "..")
        && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '.' or '_' or '-');

    private void Report(KeySpec spec, JsonTree value, string path, TextMistake mistake)
    {
        if (mistake.Message is null)
        {
            problems.Wrong(value, path, spec.Expected, mistake.Near);
        }
        else
        {
            problems.Add(value.Offset, path, mistake.Message, mistake.IsWarning);
        }
    }

    private string[]? ReadList(KeySpec spec, JsonTree value, string path)
    {
        bool isList = value.Kind == JsonValueKind.Array && (value.Items.Count > 0 || spec.Kind == KeyKind.Words);
        if (!isList && (value.Kind != JsonValueKind.String || spec.Kind == KeyKind.Words))
        {
            problems.Wrong(value, path, spec.Expected);
            return null;
        }

        List<string> texts = [];
        string expected = spec.Kind == KeyKind.Endpoints ? "an endpoint" : "a string";
        foreach ((JsonTree item, string at) in Items(value, path))
        {
            if (item.Kind != JsonValueKind.String || (item.Text.Length == 0 && !spec.AllowsEmpty) || item.Text.Contains('\0'))
            {
                problems.Wrong(item, at, expected);
            }
            else if (spec.Choices.Count > 0 && !spec.Choices.Contains(item.Text))
            {
                problems.Wrong(item, at, "one of " + string.Join(", ", spec.Choices), spec.Choices);
            }
            else if (Encoding.UTF8.GetByteCount(item.Text) > spec.MaxItemBytes)
            {
                problems.Add(item.Offset, at, $"the string is longer than {spec.MaxItemBytes} bytes");
            }
            else
            {
                texts.Add(item.Text);
            }
        }

        return [.. texts];
    }

    private Dictionary<string, string>? ReadVariables(KeySpec spec, JsonTree value, string path)
    {
        if (value.Kind != JsonValueKind.Object)
        {
            problems.Wrong(value, path, spec.Expected);
            return null;
        }

        Dictionary<string, string> variables = [];
        foreach (JsonMember member in value.Members)
        {
            string at = JsonPath.Member(path, member.Name);
            if (member.Name.Length == 0 || member.Name.Contains('=') || member.Name.Contains('\0'))
            {
                problems.Add(member.Offset, at, "a variable's name is not empty and has no '='");
            }
            else if (member.Value.Kind != JsonValueKind.String || member.Value.Text.Contains('\0'))
            {
                problems.Wrong(member.Value, at, "a string");
            }
            else if (!variables.TryAdd(member.Name, member.Value.Text))
            {
                problems.Add(member.Offset, at, "the variable stands here twice");
            }
        }

        return variables;
    }
}
