using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary>
/// The picture of <c>top</c>, as lines that fit a terminal. Every text of an app is one line without control characters, and is cut to its
/// place.
/// </summary>
internal static class TopScreen
{
    /// <summary>The columns; the one with the highest number goes first when the terminal is narrow.</summary>
    private static readonly (string Title, int Drop, bool IsRight, Func<TopRow, string> Text)[] Columns =
    [
        ("APP", 0, false, row => row.Name),
        ("STATE", 1, false, row => row.IsIll ? row.State.ToUpperInvariant() : row.State),
        ("/S", 2, true, row => TopRow.Short(row.Rate)),
        ("P50", 7, true, row => TopRow.Time(row.OverS is null ? null : row.App.P50S)),
        ("P99", 4, true, row => TopRow.Time(row.OverS is null ? null : row.App.P99S)),
        ("WAIT", 3, true, row => TopRow.Short(row.App.Queued)),
        ("OLD", 6, true, row => TopRow.Time(row.App.OldestAgeS)),
        ("SLAVES", 5, true, row => $"{row.App.Busy}/{row.App.Slaves}"),
        ("ERR/S", 4, true, row => TopRow.Short(row.Errors)),
        ("CPU%", 9, true, row => TopRow.Short(row.Cpu)),
        ("RSS", 10, true, row => TopRow.Size(row.App.RssBytes)),
        ("DIED", 8, true, row => TopRow.Short(row.App.SlavesDied)),
        ("TREND", 11, false, row => row.Trend),
    ];

    /// <summary>The lines, each at most as wide as the terminal, and no more than it is high.</summary>
    public static IReadOnlyList<string> Lines(TopPicture picture, int width, int height)
    {
        List<string> lines = [.. Head(picture), ""];
        IReadOnlyList<TopRow> rows = picture.Shown;
        int[] columns = Fitting(rows, width);
        int[] widths = [.. columns.Select(column => WidthOf(rows, column))];
        lines.Add(Row(columns, widths, column => Columns[column].Title));
        int room = Math.Max(1, height - lines.Count - picture.Panel.Count - (picture.Panel.Count > 0 ? 1 : 0));
        int first = Math.Clamp(picture.Chosen - room + 1, 0, Math.Max(0, rows.Count - 1));
        List<string> body = [];
        for (int i = first; i < rows.Count && body.Count < room; i++)
        {
            TopRow row = rows[i];
            body.Add((i == picture.Chosen ? TopPicture.Mark : "") + Row(columns, widths, column => Columns[column].Text(row)));
            if (row.IsIll && row.App.Reason is { } reason && body.Count < room)
            {
                body.Add("  " + PlainText.OneLine(reason.TrimEnd().Split('\n')[^1]));
            }
        }

        lines.AddRange(body);
        if (picture.Panel.Count > 0)
        {
            lines.Add("");
            lines.AddRange(picture.Panel.Select(PlainText.OneLine));
        }

        return [.. lines.Take(height).Select(line => Fit(line, width))];
    }

    private static IEnumerable<string> Head(TopPicture picture)
    {
        NodeStats node = picture.Answer.Node;
        IReadOnlyList<TopRow> all = picture.All;
        double? over = picture.Answer.OverS;
        string busy = over > 0 ? $", {Percent(node.LoopsBusyS / over.Value / Math.Max(1, node.Loops))} busy" : "";
        yield return $"cocaine-fast {PlainText.OneLine(node.Version)}  {PlainText.OneLine(node.Host)}  up "
            + $"{When.Span(node.UptimeS * 1e9)}  loops {node.Loops}{busy}  rss {TopRow.Size(node.RssBytes)}  conn "
            + Amount.Count(all.Sum(row => row.App.Connections));
        string states = string.Join(", ", all.GroupBy(row => row.State).OrderByDescending(group => group.Count())
            .Select(group => $"{group.Count()} {(group.First().IsIll ? group.Key.ToUpperInvariant() : group.Key)}"));
        double oldest = all.Count == 0 ? 0 : all.Max(row => row.App.OldestAgeS);
        yield return $"apps {all.Count}: {states}  {TopRow.Short(all.Sum(row => row.Rate ?? 0))}/s  wait "
            + $"{TopRow.Short(all.Sum(row => row.App.Queued))}{(oldest > 0 ? ", " + TopRow.Time(oldest) : "")}  err "
            + $"{TopRow.Short(all.Sum(row => row.Errors ?? 0))}/s  quarantine {node.Quarantine}"
            + (node.Silent > 0 ? $"  {Amount.Of(node.Silent, "app")} SILENT" : "");
        yield return picture.Question is { } question ? PlainText.OneLine(question)
            : PlainText.OneLine($"{picture.Time}  every {picture.Every}  by {picture.Sort}{(picture.HasKeys ? "  ? help" : "")}"
                + $"{(picture.Filter.Length > 0 ? $"  /{picture.Filter}" : "")}{(picture.Said.Length > 0 ? $"  {picture.Said}" : "")}");
    }

    private static string Percent(double part) => $"{(part * 100).ToString("0", CultureInfo.InvariantCulture)}%";

    private static int[] Fitting(IReadOnlyList<TopRow> rows, int width)
    {
        List<int> columns = [.. Enumerable.Range(0, Columns.Length)];
        while (columns.Sum(column => WidthOf(rows, column) + 1) - 1 > width && columns.Exists(column => Columns[column].Drop > 0))
        {
            columns.Remove(columns.MaxBy(column => Columns[column].Drop));
        }

        return [.. columns];
    }

    private static int WidthOf(IReadOnlyList<TopRow> rows, int column) =>
        rows.Select(row => Letters.Width(Columns[column].Text(row))).Append(Columns[column].Title.Length).Max();

    private static string Row(int[] columns, int[] widths, Func<int, string> textOf) => string.Join(' ', columns.Select((column, i) =>
    {
        string text = textOf(column), padding = new(' ', Math.Max(0, widths[i] - Letters.Width(text)));
        return Columns[column].IsRight ? padding + text : text + padding;
    })).TrimEnd();

    private static string Fit(string line, int width) => line.StartsWith(TopPicture.Mark, StringComparison.Ordinal)
        ? TopPicture.Mark + Letters.Cut(line[TopPicture.Mark.Length..], width) : Letters.Cut(line, width);
}
