using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>One mistake in a manifest or in the config of a node.</summary>
/// <param name="File">The file's name as the caller gave it.</param>
/// <param name="Line">Line, from 1; 0 when the file could not be read.</param>
/// <param name="Column">Column in characters (Unicode code points), from 1; 0 when the line is 0.</param>
/// <param name="Path">JSON path, as <c>$.engine.pool-limit</c>.</param>
/// <param name="Message">The mistake, the expected value, the nearest known name.</param>
/// <param name="IsWarning">The app can run all the same.</param>
public sealed record ManifestProblem(string File, int Line, int Column, string Path, string Message, bool IsWarning = false)
{
    /// <summary>A file that could not be read: the problem has no place in it.</summary>
    public static ManifestProblem OfFile(string file, string message) => new(file, 0, 0, "$", message);

    /// <summary><c>file:line:column: $.path: message</c>; for a file that could not be read, <c>file: message</c></summary>
    public override string ToString()
    {
        string place = Line == 0 ? "" : FormattableString.Invariant($"{Line}:{Column}: {Path}: ");
        return $"{PlainText.OneLine(File)}:{(Line == 0 ? " " : "")}{place}{(IsWarning ? "warning: " : "")}{Message}";
    }
}

/// <summary>Collects mistakes, and turns byte offsets into lines and columns.</summary>
internal sealed class ProblemList(string file, byte[] text)
{
    /// <summary>The most names in a list when none is near; nobody would read more.</summary>
    private const int MaxListed = 12;

    /// <summary>The letters that are enough to tell which name was begun: "info", "err".</summary>
    private const int MinBeginning = 3;

    private readonly List<(long Offset, string Path, string Message, bool IsWarning)> _entries = [];

    public bool HasErrors => _entries.Exists(entry => !entry.IsWarning);

    /// <summary>All mistakes in the order of the file. The method walks over the file once, however many mistakes there are.</summary>
    public IReadOnlyList<ManifestProblem> Sorted()
    {
        List<ManifestProblem> sorted = new(_entries.Count);
        int at = 0, line = 1, column = 1;
        foreach ((long offset, string path, string message, bool isWarning) in _entries.OrderBy(entry => entry.Offset))
        {
            Walk(offset, ref at, ref line, ref column);
            sorted.Add(new ManifestProblem(file, line, column, path, message, isWarning));
        }

        return sorted;
    }

    /// <summary>Line and column of a byte.</summary>
    public (int Line, int Column) Position(long offset)
    {
        int at = 0, line = 1, column = 1;
        Walk(offset, ref at, ref line, ref column);
        return (line, column);
    }

    private void Walk(long offset, ref int at, ref int line, ref int column)
    {
        for (; at < Math.Min(offset, text.Length); at++)
        {
            bool isNewLine = text[at] == '\n';
            line += isNewLine ? 1 : 0;
            column = isNewLine ? 1 : column + ((text[at] & 0xc0) == 0x80 ? 0 : 1); // 10xxxxxx continues a character
        }
    }

    public void Add(long offset, string path, string message, bool warning = false) => _entries.Add((offset, path, message, warning));

    /// <summary>Reports that another value was expected; <paramref name="near"/> are names that the author may have meant.</summary>
    public void Wrong(JsonTree value, string path, string expected, IEnumerable<string>? near = null) =>
        Add(value.Offset, path, $"expected {expected}, found {value.KindName}{(near is null ? "" : Nearest(value.Text, near))}");

    public void Unknown(JsonMember member, string path, IEnumerable<string> known)
    {
        string[] names = [.. known];
        string near = Nearest(member.Name, names);
        string all = near.Length == 0 && names.Length <= MaxListed ? "; known here: " + string.Join(", ", names) : "";
        Add(member.Offset, path, $"unknown key '{JsonPath.Shown(member.Name)}'{near}{all}");
    }

    /// <summary>
    /// Returns "; did you mean …?", or an empty text when no name is near: up to three letters away, fewer for a short name, or a name that
    /// begins with the text.
    /// </summary>
    public static string Nearest(string name, IEnumerable<string> known)
    {
        string wanted = name.ToLowerInvariant();
        (string? best, int distance) = known.Select(candidate => (candidate, Distance(wanted, candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.Item2).FirstOrDefault();
        int most = best?.Length switch { null or <= 3 => 1, <= 8 => 2, _ => 3 };
        if (best is null || distance > most)
        {
            best = wanted.Length >= MinBeginning ? known.FirstOrDefault(name => name.StartsWith(wanted, StringComparison.Ordinal)) : null;
        }

        return best is not null ? $"; did you mean '{best}'?" : "";
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 3)
        {
            return int.MaxValue;
        }

        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}

/// <summary>The form in which names and strings of a manifest are shown: on one line, whatever is in them.</summary>
internal static class JsonPath
{
    private const int MaxShown = 40;

    public static string Member(string parent, string name) =>
        name.Length is > 0 and <= MaxShown && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-')
            ? $"{parent}.{name}" : $"{parent}['{Shown(name).Replace("'", "\\'", StringComparison.Ordinal)}']";

    /// <summary>The text on one line, cut after some letters.</summary>
    public static string Shown(string text)
    {
        StringBuilder kept = new();
        int count = 0;
        foreach (Rune letter in text.EnumerateRunes())
        {
            if (count++ == MaxShown)
            {
                kept.Append('…');
                break;
            }

            kept.Append(letter.ToString());
        }

        return PlainText.OneLine(kept.ToString());
    }
}
