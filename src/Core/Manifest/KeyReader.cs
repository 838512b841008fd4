using System.Globalization;
using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads the values of an object by its table of keys: every mistake is reported, every good value kept.</summary>
internal sealed class KeyReader(ProblemList problems)
{
    private static readonly (string Unit, double Ms)[] Durations = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    private static readonly (string Unit, double Bytes)[] Sizes = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

    /// <summary>Good values by key: string, string[], long, bool. Times are in ms, sizes in bytes.</summary>
    public Dictionary<string, object> Read(JsonTree item, string path, IReadOnlyList<KeySpec> specs, params string[] alsoKnown)
    {
        Dictionary<string, object> values = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in item.Members)
        {
            string at = $"{path}.{member.Name}";
            if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, at, "the key stands here twice");
            }
            else if (specs.FirstOrDefault(spec => spec.Name == member.Name) is { } spec)
            {
                if (ReadValue(spec, member.Value, at) is { } value)
                {
                    values[member.Name] = value;
                }
            }
            else if (!alsoKnown.Contains(member.Name))
            {
                problems.Unknown(member, at, "key", specs.Select(known => known.Name).Concat(alsoKnown));
            }
        }

        foreach (KeySpec spec in specs.Where(spec => spec.IsRequired && !seen.Contains(spec.Name)))
        {
            problems.Add(item.Offset, path, $"the key '{spec.Name}' is missing: {spec.Expected}");
        }

        return values;
    }

    private object? ReadValue(KeySpec spec, JsonTree value, string path)
    {
        object? read = spec.Kind switch
        {
            KeyKind.Text or KeyKind.AbsolutePath or KeyKind.Schedule => value.Kind == JsonValueKind.String ? value.Text : null,
            KeyKind.Boolean => value.Kind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null },
            KeyKind.Integer or KeyKind.Milliseconds => Whole(value, 1),
            KeyKind.Duration => value.Kind == JsonValueKind.Number ? Whole(value, 1000) : WithUnit(value, Durations),
            KeyKind.Bytes => value.Kind == JsonValueKind.Number ? Whole(value, 1) : WithUnit(value, Sizes),
            _ => Texts(value),
        };
        string? problem = read is null ? $"expected {spec.Expected}, found {value.KindName}" : Check(spec, read);
        if (problem is null)
        {
            return read;
        }

        problems.Add(value.Offset, path, problem);
        return null;
    }

    private static string? Check(KeySpec spec, object value)
    {
        switch (value)
        {
            case long number when number < spec.Min || number > (spec.Kind == KeyKind.Duration ? 1e12 : spec.Max):
                return $"expected {spec.Expected}, found {number}";
            case long size when spec.Name == "pipe-size" && (size & (size - 1)) != 0:
                return $"a ring's size is a power of two: {1L << (int)Math.Round(Math.Log2(size))} is the nearest";
            case string text when spec.Choices.Count > 0 && !spec.Choices.Contains(text):
                return $"expected {spec.Expected}, found '{text}'{ProblemList.Nearest(text, spec.Choices)}";
            case string text when spec.Kind == KeyKind.AbsolutePath && !text.StartsWith('/'):
                return $"expected {spec.Expected}, found '{text}'";
            case string text when spec.Kind == KeyKind.Schedule && !IsSchedule(text):
                return $"expected {spec.Expected}, found '{text}'";
            case string[] texts when spec.Kind == KeyKind.Endpoints:
                return texts.Select(EndpointSyntax.Problem).FirstOrDefault(problem => problem is not null);
            default:
                return null;
        }
    }

    private static bool IsSchedule(string text) =>
        text is "@hourly" or "@daily" or "@midnight" or "@weekly" or "@monthly" or "@yearly" or "@annually"
        || text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length is 5 or 6;

    private static object? Whole(JsonTree value, double factor)
    {
        double scaled = value.Number * factor;
        return value.Kind == JsonValueKind.Number && Math.Abs(scaled) < 1e15 && (factor > 1 || scaled == Math.Floor(scaled)) ? (long)Math.Round(scaled) : null;
    }

    private static object? WithUnit(JsonTree value, (string Unit, double Factor)[] units)
    {
        if (value.Kind != JsonValueKind.String)
        {
            return null;
        }

        foreach ((string unit, double factor) in units)
        {
            if (value.Text.EndsWith(unit, StringComparison.Ordinal) && double.TryParse(
                value.Text.AsSpan(0, value.Text.Length - unit.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return number * factor < 1e15 ? (long)Math.Round(number * factor) : null;
            }
        }

        return null;
    }

    private static object? Texts(JsonTree value) => value.Kind switch
    {
        JsonValueKind.String => (string[])[value.Text],
        JsonValueKind.Array when value.Items.Count > 0 && value.Items.TrueForAll(item => item.Kind == JsonValueKind.String)
            => value.Items.Select(item => item.Text).ToArray(),
        _ => null,
    };
}
