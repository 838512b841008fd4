using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Cocaine.Fast.Host.Commands;

/// <summary>Options whose value is a time in seconds.</summary>
internal static class SecondsOption
{
    /// <summary>10,000 days, as in a manifest: sums of a few stay far from overflow.</summary>
    private const double Most = 10_000.0 * 24 * 3600;

    /// <summary>An option for more than 0 seconds, without a default.</summary>
    public static Option<TimeSpan?> Create(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = Read,
    };

    private static TimeSpan? Read(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        bool isNumber = double.TryParse(
            text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double seconds);
        if (isNumber && seconds is > 0 and <= Most)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        result.AddError($"'{text}' is no time: expected seconds, more than 0 and at most 10,000 days, as 2.5");
        return null;
    }
}
