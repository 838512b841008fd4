namespace Cocaine.Fast.Core.Manifest;

/// <summary>One mistake in a manifest.</summary>
/// <param name="File">The file as it was named.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
/// <param name="Path">JSON path, as <c>$.engine.pool-limit</c>.</param>
/// <param name="Message">What is wrong, what was expected, the nearest known name.</param>
/// <param name="IsWarning">The app can be run all the same.</param>
public sealed record ManifestProblem(string File, int Line, int Column, string Path, string Message, bool IsWarning = false)
{
    /// <summary><c>file:line:column: $.path: message</c></summary>
    public override string ToString() => $"{File}:{Line}:{Column}: {Path}: {(IsWarning ? "warning: " : "")}{Message}";
}

/// <summary>What reading a manifest gave.</summary>
/// <param name="Manifest">The app; null when there is a problem that is no warning.</param>
/// <param name="Problems">All mistakes and warnings, in the order of the file.</param>
public sealed record ManifestResult(AppManifest? Manifest, IReadOnlyList<ManifestProblem> Problems);

/// <summary>Gathers mistakes, and turns byte offsets into lines and columns.</summary>
internal sealed class ProblemList(string file, byte[] text)
{
    private readonly List<(long Offset, ManifestProblem Problem)> _problems = [];

    public bool HasErrors => _problems.Exists(entry => !entry.Problem.IsWarning);

    public IReadOnlyList<ManifestProblem> Sorted => [.. _problems.OrderBy(entry => entry.Offset).Select(entry => entry.Problem)];

    public void Add(long offset, string path, string message, bool warning = false)
    {
        int end = (int)Math.Clamp(offset, 0, text.Length);
        ReadOnlySpan<byte> before = text.AsSpan(0, end);
        int line = before.Count((byte)'\n') + 1;
        ReadOnlySpan<byte> start = before[(before.LastIndexOf((byte)'\n') + 1)..];
        int column = System.Text.Encoding.UTF8.GetCharCount(start) + 1;
        _problems.Add((offset, new ManifestProblem(file, line, column, path, message, warning)));
    }

    public void Unknown(JsonMember member, string path, string what, IEnumerable<string> known) =>
        Add(member.Offset, path, $"unknown {what} '{member.Name}'{Nearest(member.Name, known)}");

    /// <summary>"; did you mean …?", or nothing when no name is near.</summary>
    public static string Nearest(string name, IEnumerable<string> known)
    {
        (string? best, int distance) = known.Select(candidate => (candidate, Distance(name.ToLowerInvariant(), candidate)))
            .OrderBy(pair => pair.Item2).FirstOrDefault();
        return best is not null && distance <= Math.Max(2, best.Length / 3) ? $"; did you mean '{best}'?" : "";
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        if (a.Length > 64)
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
