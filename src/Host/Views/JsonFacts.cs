using System.Text.Json;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// Looks things up in what a node answered. A node of another version may leave out a thing or have another kind in its place: it is 0,
/// empty or no item then.
/// </summary>
internal readonly struct JsonFacts(JsonElement? element)
{
    /// <summary>There is something.</summary>
    public bool Exists => element is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) };

    /// <summary>Its members, when it is an object.</summary>
    public IEnumerable<(string Name, JsonFacts Value)> Members => element is { ValueKind: JsonValueKind.Object } one
        ? one.EnumerateObject().Select(member => (member.Name, new JsonFacts(member.Value))) : [];

    /// <summary>Its items, when it is a list.</summary>
    public IEnumerable<JsonFacts> Items => element is { ValueKind: JsonValueKind.Array } one
        ? one.EnumerateArray().Select(item => new JsonFacts(item)) : [];

    /// <summary>Its text, or as text what it is.</summary>
    public string Text => Exists ? element!.Value.ToString() : "";

    /// <summary>Its number, down to a whole one.</summary>
    public long Count => (long)Math.Clamp(Number, long.MinValue / 2, long.MaxValue / 2);

    /// <summary>Its number.</summary>
    public double Number => element is { ValueKind: JsonValueKind.Number } one && one.TryGetDouble(out double number) ? number : 0;

    /// <summary>It is there and true.</summary>
    public bool IsTrue => element is { ValueKind: JsonValueKind.True };

    /// <summary>A member of it, by names from outside in.</summary>
    public JsonFacts this[params ReadOnlySpan<string> path]
    {
        get
        {
            JsonElement? at = element;
            foreach (string name in path)
            {
                at = at is { ValueKind: JsonValueKind.Object } one && one.TryGetProperty(name, out JsonElement next) ? next : null;
            }

            return new JsonFacts(at);
        }
    }
}
