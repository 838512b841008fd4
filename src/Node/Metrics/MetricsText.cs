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

    /// <summary>The longest number: 17 digits, a sign, a point and an exponent.</summary>
    private const int MostDigits = 32;

    /// <summary>Larger numbers are written with an exponent, as doubles are.</summary>
    private const long MostWhole = 1_000_000_000_000_000;

    /// <summary>The bounds of the buckets of histograms, ns: 50 µs to a minute. A value is at most 1/32 too high.</summary>
    public static readonly long[] BoundsNs =
    [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 10_000_000_000, 60_000_000_000,
    ];

    /// <summary>The ends of the lines of buckets, up to their counts.</summary>
    private static readonly string[] BucketEnds = [.. BoundsNs.Select(
        bound => $",le=\"{(bound / 1e9).ToString("R", CultureInfo.InvariantCulture)}\"}} ")];

    private readonly ArrayBufferWriter<byte> _text = new(1 << 20);
    private string _family = "";

    /// <summary>Ends the text; UTF-8.</summary>
    public byte[] End()
    {
        if (form == MetricsForm.Open)
        {
            Put("# EOF\n");
        }

        return _text.WrittenSpan.ToArray();
    }

    /// <summary>Begins a family; its series follow.</summary>
    public void Family(MetricKind metric)
    {
        _family = metric.IsStandard ? metric.Name : Prefix + metric.Name;
        bool isShort = form == MetricsForm.Open && metric.Type == "counter" && _family.EndsWith(Total, StringComparison.Ordinal);
        string name = isShort ? _family[..^Total.Length] : _family;
        Put($"# HELP {name} {metric.Help}\n# TYPE {name} {metric.Type}\n");
    }

    /// <summary>A series without labels.</summary>
    public void Value(double value)
    {
        Put(_family);
        Put(" ");
        End(value);
    }

    /// <summary>A series of the family.</summary>
    /// <param name="labels">Made by <see cref="Label"/>, with commas between them.</param>
    /// <param name="value">Its value.</param>
    public void Value(string labels, double value) => Line("{", labels, "} ", value);

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
            Line("_bucket{", labels, BucketEnds[i], counts[i]);
        }

        Line("_bucket{", labels, ",le=\"+Inf\"} ", count);
        Line("_sum{", labels, "} ", sumNs / 1e9);
        Line("_count{", labels, "} ", count);
    }

    /// <summary>A label; the value may be any text.</summary>
    public static string Label(string name, string value) =>
        $"{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    /// <summary>A text of a big node has 20,000 lines: no string is made for any of them.</summary>
    private void Line(string suffix, string labels, string end, double value)
    {
        Put(_family);
        Put(suffix);
        Put(labels);
        Put(end);
        End(value);
    }

    private void End(double value)
    {
        if (double.IsPositiveInfinity(value))
        {
            Put("+Inf");
        }
        else
        {
            Span<byte> number = _text.GetSpan(MostDigits);
            long whole = (long)value; // most values are counts
            int written;
            _ = whole == value && Math.Abs(whole) < MostWhole ? whole.TryFormat(number, out written, default, CultureInfo.InvariantCulture)
                : value.TryFormat(number, out written, "R", CultureInfo.InvariantCulture);
            _text.Advance(written);
        }

        Put("\n");
    }

    private void Put(string text)
    {
        Span<byte> place = _text.GetSpan(text.Length * 3); // the most bytes of a letter in UTF-16
        _text.Advance(Encoding.UTF8.GetBytes(text, place));
    }
}
