using System.Text;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>An aim beside the measured figure.</summary>
internal sealed record Aim(string What, string Wanted, string Measured, bool? IsMet)
{
    /// <summary>Met, not met, or not to be told because a system is missing.</summary>
    public string Verdict => IsMet switch { true => "met", false => "NOT met", null => "not measured" };

    public static Aim AtMost(string what, double limit, double value, string format) =>
        new(what, $"≤ {limit:#,0.##}", value.ToString(format), double.IsNaN(value) ? null : value <= limit);

    public static Aim AtLeast(string what, double limit, double value, string format) =>
        new(what, $"≥ {limit:#,0.##}", value.ToString(format), double.IsNaN(value) ? null : value >= limit);

    /// <summary>The aims as a table.</summary>
    public static void Table(StringBuilder text, IEnumerable<Aim> aims)
    {
        text.Append("\n| aim | wanted | measured | |\n| --- | --: | --: | --- |\n");
        foreach (Aim aim in aims)
        {
            text.Append($"| {aim.What} | {aim.Wanted} | {aim.Measured} | {aim.Verdict} |\n");
        }
    }
}
