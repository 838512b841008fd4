using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary>An app on the screen: its figures over the last seconds, and the rates before.</summary>
/// <param name="App">The figures, with counts over <paramref name="OverS"/>.</param>
/// <param name="OverS">The seconds of the counts; null in the first picture, which has no rates.</param>
/// <param name="Rates">Jobs a second in the last pictures, the oldest first.</param>
internal sealed record TopRow(AppStats App, double? OverS, IReadOnlyList<double> Rates)
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    public string Name => PlainText.OneLine(App.App);

    public string State => PlainText.OneLine(App.State);

    /// <summary>Jobs that ended in a second.</summary>
    public double? Rate => PerSecond(App.Done + App.Failed);

    public double? Errors => PerSecond(App.Failed + App.Refused);

    public double? Cpu => PerSecond(App.CpuS) * 100;

    public bool IsIll => App.State is "broken" or "failed" or "failing";

    public string Trend
    {
        get
        {
            double most = Rates.Count == 0 ? 0 : Rates.Max();
            return most <= 0 ? "" : string.Concat(Rates.Select(rate => Bars[(int)Math.Min(Bars.Length - 1, rate / most * Bars.Length)]));
        }
    }

    /// <summary>A number of at most five letters: 0.3, 41, 4,120, 40k.</summary>
    public static string Short(double? value) => value switch
    {
        null => "",
        < 9.95 => value.Value.ToString(value < 0.05 ? "0" : "0.0", CultureInfo.InvariantCulture),
        < 9999.5 => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
        < 999_500 => $"{(value.Value / 1e3).ToString("0", CultureInfo.InvariantCulture)}k",
        _ => $"{(value.Value / 1e6).ToString("0.0", CultureInfo.InvariantCulture)}M",
    };

    /// <summary>A time of at most four letters: 120µ, 3.1m, 84m, 1.2s, 12m for minutes has no place here: 720s.</summary>
    public static string Time(double? seconds) => seconds switch
    {
        null or <= 0 => "",
        < 0.0009995 => $"{(seconds.Value * 1e6).ToString("0", CultureInfo.InvariantCulture)}µ",
        < 0.00995 => $"{(seconds.Value * 1e3).ToString("0.0", CultureInfo.InvariantCulture)}m",
        < 0.9995 => $"{(seconds.Value * 1e3).ToString("0", CultureInfo.InvariantCulture)}m",
        < 9.95 => $"{seconds.Value.ToString("0.0", CultureInfo.InvariantCulture)}s",
        _ => $"{Math.Min(seconds.Value, 99_999).ToString("0", CultureInfo.InvariantCulture)}s",
    };

    /// <summary>A size of at most four letters: 18M, 1.2G.</summary>
    public static string Size(long bytes) => bytes switch
    {
        0 => "",
        < 1L << 30 => $"{((bytes + (1 << 19)) >> 20).ToString(CultureInfo.InvariantCulture)}M",
        _ => $"{(bytes / (double)(1L << 30)).ToString("0.0", CultureInfo.InvariantCulture)}G",
    };

    private double? PerSecond(double count) => OverS > 0 ? count / OverS : null;
}
