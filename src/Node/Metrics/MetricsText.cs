using System.Buffers;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>
/// Writes metrics as text: families with a help and a type, and below each its series.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
/// </summary>
/// <param name="form">The form of the text.</param>
internal sealed class MetricsText(MetricsForm form = MetricsForm.Plain)
{
    private const string Prefix = "cocaine_", Total = "_total";

    /// <summary>The bounds of the buckets of histograms, ns: 50 µs to a minute. A value is at most 1/32 too high.</summary>
    public static readonly long[] BoundsNs =
    [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 10_000_000_000, 60_000_000_000,
    ];

    private readonly ArrayBufferWriter<byte> _text = new(64 << 10);
    private string _family = "";

    /// <summary>Ends the text; UTF-8.</summary>
    public byte[] End()
    {
        if (form == MetricsForm.Open)
        {
            Write($"# EOF\n");
        }

        return _text.WrittenSpan.ToArray();
    }

    /// <summary>Begins a family; its series follow.</summary>
    public void Family(MetricKind metric)
    {
        _family = metric.IsStandard ? metric.Name : Prefix + metric.Name;
        bool isShort = form == MetricsForm.Open && metric.Type == "counter" && _family.EndsWith(Total, StringComparison.Ordinal);
        string name = isShort ? _family[..^Total.Length] : _family;
        Write($"# HELP {name} {metric.Help}\n# TYPE {name} {metric.Type}\n");
    }

    /// <summary>A series without labels.</summary>
    public void Value(double value) => Write($"{_family} {Number(value)}\n");

    /// <summary>A series of the family.</summary>
    /// <param name="labels">Made by <see cref="Label"/>, with commas between them.</param>
    /// <param name="value">Its value.</param>
    public void Value(string labels, double value) => Write($"{_family}{{{labels}}} {Number(value)}\n");

    /// <summary>A histogram in seconds.</summary>
    /// <param name="labels">Made by <see cref="Label"/>, with commas between them.</param>
    /// <param name="times">The values, which may go on counting meanwhile.</param>
    public void Histogram(string labels, LatencyHistogram times)
    {
        Span<long> counts = stackalloc long[BoundsNs.Length];
        long sumNs = times.Sum; // before the counts, which may have more values by then
        long count = times.CountUpTo(BoundsNs, counts);
        for (int i = 0; i < counts.Length; i++)
        {
            Write($"{_family}_bucket{{{labels},le=\"{Number(BoundsNs[i] / 1e9)}\"}} {counts[i]}\n");
        }

        Write($"{_family}_bucket{{{labels},le=\"+Inf\"}} {count}\n{_family}_sum{{{labels}}} {Number(sumNs / 1e9)}\n");
        Write($"{_family}_count{{{labels}}} {count}\n");
    }

    /// <summary>A label; the value may be any text.</summary>
    public static string Label(string name, string value) =>
        $"{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private void Write(FormattableString text) =>
        Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture), _text);
}
