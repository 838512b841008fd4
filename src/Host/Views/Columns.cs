using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// A list of items, one line for each. In a terminal no line is longer than the terminal is wide: columns are dropped, the least important
/// first, and texts are cut; names are whole or left out, and no item takes two lines. Elsewhere every column is shown, and nothing is cut.
/// The content of a cell never controls the terminal.
/// </summary>
internal sealed class Columns<T>(params Column<T>[] columns)
{
    private const string Gap = "  ";
    private const string NoteIndent = "    ";

    /// <summary>Writes the list to standard output.</summary>
    public void Write(IReadOnlyList<T> items, Screen screen) => Console.Out.Write(Render(items, screen.Columns));

    /// <summary>The list as text, in lines of at most <paramref name="width"/> columns if it is given.</summary>
    public string Render(IReadOnlyList<T> items, int? width)
    {
        string[][] cells = [.. items.Select(item => columns.Select(column => Cell(column, item, isShort: width is not null)).ToArray())];
        int[] all = [.. Enumerable.Range(0, columns.Length)];
        if (width is not { } room)
        {
            StringBuilder full = new();
            WriteRows(full, cells, all, [.. all.Select(column => Natural(cells, column))], room: null);
            return full.ToString();
        }

        StringBuilder text = new();
        List<int> said = [.. all.Where(column => columns[column].IsSaidOnce && cells.Length > 1 && cells[0][column].Length > 0
            && cells.All(row => row[column] == cells[0][column]))];
        if (said.Count > 0)
        {
            text.Append(string.Join(", ", said.Select(column => $"{columns[column].Title} {cells[0][column]}"))).Append('\n');
        }

        List<int> shown = [.. all.Where(column => !columns[column].IsNote && !said.Contains(column)
            && (cells.Length == 0 || cells.Any(row => row[column].Length > 0)))];
        List<int> dropped = DropUntilFit(cells, shown, room);
        WriteRows(text, cells, shown, Widths(cells, shown, room), room);
        if (dropped.Count > 0)
        {
            string more = $"({string.Join(", ", dropped.Select(column => columns[column].Title))}: with --wide)";
            text.Append(Cut(more, room)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Drops columns until the narrowest form of the rest fits; returns the dropped ones, in their order.</summary>
    private List<int> DropUntilFit(string[][] cells, List<int> shown, int room)
    {
        List<int> dropped = [];
        while (shown.Sum(column => Least(cells, column)) + (Gap.Length * (shown.Count - 1)) > room)
        {
            int next = shown.Where(column => columns[column].Drop > 0).OrderByDescending(column => columns[column].Drop)
                .Select(column => (int?)column).FirstOrDefault() ?? -1;
            if (next < 0)
            {
                break; // a name longer than the line: the terminal wraps it, and users can still copy it
            }

            shown.Remove(next);
            dropped.Add(next);
        }

        dropped.Sort();
        return dropped;
    }

    private int[] Widths(string[][] cells, List<int> shown, int room)
    {
        int[] widths = [.. shown.Select(column => Least(cells, column))];
        int spare = room - widths.Sum() - (Gap.Length * (shown.Count - 1));
        for (int i = 0; i < widths.Length && spare > 0; i++)
        {
            int more = Math.Min(spare, Natural(cells, shown[i]) - widths[i]);
            widths[i] += more;
            spare -= more;
        }

        return widths;
    }

    private void WriteRows(StringBuilder text, string[][] cells, IReadOnlyList<int> shown, int[] widths, int? room)
    {
        WriteRow(text, [.. columns.Select(column => column.Title)], shown, widths);
        foreach (string[] row in cells)
        {
            WriteRow(text, row, shown, widths);
            if (room is not { } bound)
            {
                continue;
            }

            foreach (string note in row.Where((note, column) => columns[column].IsNote && note.Length > 0))
            {
                text.Append(NoteIndent).Append(Cut(note, bound - NoteIndent.Length)).Append('\n');
            }
        }
    }

    private void WriteRow(StringBuilder text, string[] row, IReadOnlyList<int> shown, int[] widths)
    {
        StringBuilder line = new();
        for (int i = 0; i < shown.Count; i++)
        {
            string cell = columns[shown[i]].LeastWidth > 0 ? Cut(row[shown[i]], widths[i]) : row[shown[i]];
            string padding = new(' ', Math.Max(0, widths[i] - Letters.Width(cell)));
            line.Append(i > 0 ? Gap : "").Append(columns[shown[i]].IsRight ? padding + cell : cell + padding);
        }

        text.Append(line.ToString().TrimEnd()).Append('\n');
    }

    private int Natural(string[][] cells, int column) =>
        cells.Select(row => Letters.Width(row[column])).Append(columns[column].Title.Length).Max();

    private int Least(string[][] cells, int column)
    {
        int natural = Natural(cells, column), least = columns[column].LeastWidth;
        return least > 0 ? Math.Min(natural, Math.Max(least, columns[column].Title.Length)) : natural;
    }

    private static string Cell(Column<T> column, T item, bool isShort) =>
        PlainText.OneLine(isShort && column.Short is { } text ? text(item) : column.Text(item));

    private static string Cut(string text, int width) => Letters.Cut(text, width);
}
