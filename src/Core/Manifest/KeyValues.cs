using System.Globalization;
using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Turns JSON values into kept values, and kept values into text.</summary>
internal static class KeyValues
{
    /// <summary>Beyond this number a double no longer tells whole numbers apart with room to spare.</summary>
    private const double Largest = 1e15;

    private static readonly (string Unit, long Factor)[] Durations =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    private static readonly (string Unit, long Factor)[] Sizes = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

    /// <summary>A single value as it is kept (string, long, bool), or null when its JSON type or form is wrong.</summary>
    public static object? Of(KeySpec spec, JsonTree value) => spec.Kind switch
    {
        KeyKind.Boolean => value.Kind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null },
        KeyKind.Integer or KeyKind.Milliseconds => Whole(value),
        KeyKind.Part => Part(spec, value),
        KeyKind.Duration => value.Kind == JsonValueKind.Number ? Scaled(value.Number, 1000) : WithUnit(value, Durations),
        KeyKind.Bytes => value.Kind == JsonValueKind.Number ? Whole(value) : WithUnit(value, Sizes),
        KeyKind.SocketMode => value.Kind == JsonValueKind.String ? Mode(value.Text) : null,
        _ => value.Kind == JsonValueKind.String && (value.Text.Length > 0 || spec.AllowsEmpty) ? value.Text : null,
    };

    /// <summary>A default of the table as it is kept, or null when it is in words.</summary>
    public static object? OfText(KeySpec spec, string text)
    {
        bool isWritten = spec.Kind is KeyKind.Text or KeyKind.Boolean or KeyKind.Integer
            or KeyKind.Milliseconds or KeyKind.Duration or KeyKind.Bytes or KeyKind.SocketMode;
        if (!isWritten)
        {
            return null;
        }

        JsonValueKind kind = text switch { "true" => JsonValueKind.True, "false" => JsonValueKind.False, _ => JsonValueKind.String };
        bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && spec.Kind != KeyKind.SocketMode;
        return Of(spec, new JsonTree { Kind = isNumber ? JsonValueKind.Number : kind, Offset = 0, Text = text, Number = number });
    }

    /// <summary>A kept number as a manifest would have it: "1MiB", "10000d".</summary>
    public static string Written(KeySpec spec, long number)
    {
        (string Unit, long Factor)[] units = spec.Kind switch { KeyKind.Duration => Durations, KeyKind.Bytes => Sizes, _ => [] };
        (string unit, long factor) = units.Where(entry => number != 0 && number % entry.Factor == 0).OrderBy(entry => entry.Factor)
            .LastOrDefault(("", 1));
        return FormattableString.Invariant($"{number / factor}{(factor > 1 || spec.Kind == KeyKind.Duration ? unit : "")}");
    }

    /// <summary>The nearest power of two; the lower one when both are equally near.</summary>
    public static long NearestPowerOfTwo(long number)
    {
        long below = 1L << (int)Math.Log2(number);
        return number - below <= (below * 2) - number ? below : below * 2;
    }

    /// <summary>
    /// The owner may always read and write: a node that could not connect to the socket of a killed node could not tell that it is stale.
    /// </summary>
    private static object? Mode(string text)
    {
        ReadOnlySpan<char> digits = text.Length == 4 && text[0] == '0' ? text.AsSpan(1) : text;
        bool isMode = digits.Length == 3 && digits[0] >= '6' && !digits.ContainsAnyExceptInRange('0', '7');
        return isMode ? ((digits[0] - '0') * 64L) + ((digits[1] - '0') * 8) + (digits[2] - '0') : null;
    }

    private static string? Part(KeySpec spec, JsonTree value)
    {
        bool isPercent = value.Kind == JsonValueKind.String && value.Text.EndsWith('%')
            && int.TryParse(value.Text.AsSpan(0, value.Text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int percent)
            && percent is >= 1 and <= 100;
        return isPercent ? value.Text
            : Whole(value) is long whole && whole >= spec.Min && whole <= spec.Max ? whole.ToString(CultureInfo.InvariantCulture) : null;
    }

    private static object? Whole(JsonTree value)
    {
        bool isWhole = value.Kind == JsonValueKind.Number && Math.Abs(value.Number) < Largest && value.Number == Math.Floor(value.Number);
        return isWhole ? (long)value.Number : null;
    }

    /// <summary>Rounded; but 0 means "none" for many keys, so no value above 0 becomes 0.</summary>
    private static object? Scaled(double number, double factor)
    {
        double scaled = number * factor;
        return Math.Abs(scaled) >= Largest ? null : scaled > 0 ? Math.Max(1, (long)Math.Round(scaled)) : (long)Math.Floor(scaled);
    }

    private static object? WithUnit(JsonTree value, (string Unit, long Factor)[] units)
    {
        if (value.Kind != JsonValueKind.String)
        {
            return null;
        }

        foreach ((string unit, long factor) in units)
        {
            ReadOnlySpan<char> digits = value.Text.AsSpan(0, Math.Max(0, value.Text.Length - unit.Length)).Trim();
            if (value.Text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return Scaled(number, factor);
            }
        }

        return null;
    }
}
