using System.Text.Json;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// Looks values up in a node's answer. A node of another version may leave out a value or have another kind in its place: the value then
/// counts as 0, empty or no item.
/// </summary>
internal readonly struct JsonFacts(JsonElement? element)
{
    /// <summary>There is a value.</summary>
    public bool Exists => element is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) };

    /// <summary>The members, when the value is an object.</summary>
    public IEnumerable<(string Name, JsonFacts Value)> Members => element is { ValueKind: JsonValueKind.Object } one
        ? one.EnumerateObject().Select(member => (member.Name, new JsonFacts(member.Value))) : [];

    /// <summary>The items, when the value is a list.</summary>
    public IEnumerable<JsonFacts> Items => element is { ValueKind: JsonValueKind.Array } one
        ? one.EnumerateArray().Select(item => new JsonFacts(item)) : [];

    /// <summary>The text, or another value as text.</summary>
    public string Text => Exists ? element!.Value.ToString() : "";

    /// <summary>The number, cut to a whole one.</summary>
    public long Count => (long)Math.Clamp(Number, long.MinValue / 2, long.MaxValue / 2);

    /// <summary>The number.</summary>
    public double Number => element is { ValueKind: JsonValueKind.Number } one && one.TryGetDouble(out double number) ? number : 0;

    /// <summary>The value is there and true.</summary>
    public bool IsTrue => element is { ValueKind: JsonValueKind.True };

    /// <summary>A member, found by names from outside in.</summary>
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
