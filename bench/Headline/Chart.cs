using System.Globalization;
using System.Net;
using System.Text;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>Two bars a system: CPU per request and requests/s.</summary>
internal static class Chart
{
    private const int Left = 270, BarWidth = 380, Gap = 40, LineHeight = 34, Top = 60;

    public static string Draw(IReadOnlyList<Row> rows, string machine)
    {
        Row[] good = [.. rows.Where(row => row.Error.Length == 0)];
        double mostCpu = good.Max(row => row.ServerCpuPerMillion.Median), mostRate = good.Max(row => row.RequestsPerSecond.Median);
        int width = Left + (2 * BarWidth) + Gap + 120;
        StringBuilder svg = new();
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{Top + (good.Length * LineHeight) + 30}\" ");
        svg.AppendLine("font-family=\"sans-serif\" font-size=\"13\">");
        svg.AppendLine("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        Text(svg, 10, 22, $"64 B echo, 32 connections × 8 in flight. {machine}");
        Text(svg, Left, 46, "server CPU s per million requests (log, shorter is better)");
        Text(svg, Left + BarWidth + Gap, 46, "requests/s (longer is better)");
        for (int i = 0; i < good.Length; i++)
        {
            Row row = good[i];
            int y = Top + (i * LineHeight);
            string color = row.System.StartsWith("cocaine", StringComparison.Ordinal) ? "#2a78c2" : "#9aa5b1";
            Text(svg, 10, y + 17, row.System);
            double cpu = Math.Log(1 + row.ServerCpuPerMillion.Median) / Math.Log(1 + mostCpu);
            Bar(svg, Left, y, cpu * BarWidth * 0.8, color, row.ServerCpuPerMillion.Median.ToString("F2", CultureInfo.InvariantCulture));
            Bar(svg, Left + BarWidth + Gap, y, row.RequestsPerSecond.Median / mostRate * BarWidth * 0.8, color,
                row.RequestsPerSecond.Median.ToString("N0", CultureInfo.InvariantCulture));
        }

        return svg.AppendLine("</svg>").ToString();
    }

    private static void Bar(StringBuilder svg, int x, int y, double length, string color, string label)
    {
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"<rect x=\"{x}\" y=\"{y}\" width=\"{Math.Max(1, length):F0}\" height=\"{LineHeight - 10}\" fill=\"{color}\"/>");
        Text(svg, x + (int)length + 6, y + 17, label);
    }

    private static void Text(StringBuilder svg, int x, int y, string text) =>
        svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{x}\" y=\"{y}\">{WebUtility.HtmlEncode(text)}</text>");
}
