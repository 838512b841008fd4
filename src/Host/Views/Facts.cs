using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Views;

/// <summary>Any JSON object as a list of names and values: no value is left out, and long values continue below their beginning.</summary>
internal static class Facts
{
    /// <summary>The widest name column: longer names have their value further to the right.</summary>
    private const int MaxNameWidth = 36;

    public static string Render(JsonElement value, int? width)
    {
        List<(string Name, string Text)> facts = [];
        Gather(facts, "", value);
        int names = Math.Min(MaxNameWidth, facts.Select(fact => Letters.Width(PlainText.OneLine(fact.Name))).DefaultIfEmpty().Max());
        StringBuilder text = new();
        foreach ((string name, string of) in facts)
        {
            string first = PlainText.OneLine(name), indent = new(' ', width is null ? 0 : 4);
            string padding = new(' ', Math.Max(0, names - Letters.Width(first)) + 2);
            string[] lines = PlainText.Lines(of.TrimEnd()).Split('\n');
            text.Append(Letters.Wrapped(first + padding, lines[0], width, indent).TrimEnd()).Append('\n');
            foreach (string line in lines.Skip(1))
            {
                text.Append("    ").Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static void Gather(List<(string Name, string Text)> facts, string path, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    Gather(facts, path.Length == 0 ? property.Name : $"{path}.{property.Name}", property.Value);
                }

                break;
            case JsonValueKind.Array when value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Object):
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Gather(facts, $"{path}[{index++}]", item);
                }

                break;
            case JsonValueKind.Array:
                facts.Add((path, string.Join(", ", value.EnumerateArray())));
                break;
            default:
                facts.Add((path, value.ToString()));
                break;
        }
    }
}
