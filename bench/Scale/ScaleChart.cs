using System.Net;
using System.Text;

namespace Cocaine.Fast.Bench.Scale;

/// <summary>A panel an axis: CPU per request against the number of things, both logarithmic.</summary>
internal static class ScaleChart
{
    private const int Width = 400, Height = 210, Columns = 2, Left = 50, Right = 20, Top = 40, Bottom = 34, Title = 30;

    public static string Draw(IReadOnlyList<Axis> axes, string machine)
    {
        int rows = (axes.Count + Columns - 1) / Columns;
        StringBuilder svg = new();
        svg.AppendLine($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width * Columns}\" height=\"{(Height * rows) + Title}\" ");
        svg.AppendLine("font-family=\"sans-serif\" font-size=\"11\">");
        svg.AppendLine("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        Text(svg, 10, 18, $"CPU s per million requests (grey: the C echo). {machine}");
        for (int i = 0; i < axes.Count; i++)
        {
            Panel(svg, axes[i], i % Columns * Width, (i / Columns * Height) + Title);
        }

        return svg.AppendLine("</svg>").ToString();
    }

    private static void Panel(StringBuilder svg, Axis axis, int x, int y)
    {
        ScalePoint[] all = [.. axis.Points.Concat(axis.Limit).Where(point => point.IsGood)];
        Text(svg, x + Left, y + 24, axis.Name);
        if (all.Length == 0)
        {
            return;
        }

        double most = Math.Log10(1 + all.Max(point => point.X)), low = Math.Floor(Math.Log10(all.Min(point => point.Cpu.Min)));
        double high = Math.Ceiling(Math.Log10(all.Max(point => point.Cpu.Max)));
        int right = x + Width - Right, bottom = y + Height - Bottom;
        for (double power = low; power <= high; power++)
        {
            int level = Down(power);
            svg.AppendLine($"<line x1=\"{x + Left}\" y1=\"{level}\" x2=\"{right}\" y2=\"{level}\" stroke=\"#ddd\"/>");
            Text(svg, x + 14, level + 4, $"{Math.Pow(10, power):0.##}");
        }

        foreach (ScalePoint point in axis.Points)
        {
            Text(svg, Across(point.X) - 4, bottom + 16, point.X >= 1000 ? $"{point.X / 1000:0}k" : $"{point.X:0}");
        }

        Line(axis.Limit, "#9aa5b1");
        Line(axis.Points, "#2a78c2");

        int Across(double value) => x + Left + (int)(Math.Log10(1 + value) / Math.Max(1e-9, most) * (Width - Left - Right));

        int Down(double power) => bottom - (int)((power - low) / Math.Max(1, high - low) * (Height - Top - Bottom));

        void Line(IEnumerable<ScalePoint> points, string color)
        {
            ScalePoint[] good = [.. points.Where(point => point.IsGood)];
            string path = string.Join(' ', good.Select(point => $"{Across(point.X)},{Down(Math.Log10(point.Cpu.Median))}"));
            svg.AppendLine($"<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
            foreach (ScalePoint point in good)
            {
                svg.AppendLine($"<circle cx=\"{Across(point.X)}\" cy=\"{Down(Math.Log10(point.Cpu.Median))}\" r=\"3\" fill=\"{color}\"/>");
            }
        }
    }

    private static void Text(StringBuilder svg, int x, int y, string text) =>
        svg.AppendLine($"<text x=\"{x}\" y=\"{y}\">{WebUtility.HtmlEncode(text)}</text>");
}
