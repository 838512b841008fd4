namespace Cocaine.Fast.Harness;

/// <summary>The table of docs/security.md that says what each door answers to each kind of peer.</summary>
internal static class DoorTable
{
    private static readonly string[][] Rows = [.. File.ReadAllLines(Path.Combine(Repository.Root, "docs/security.md"))
        .SkipWhile(line => !line.StartsWith("| door | without rules |", StringComparison.Ordinal))
        .TakeWhile(line => line.StartsWith('|')).Where(line => !line.StartsWith("| ---", StringComparison.Ordinal))
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())];

    /// <summary>The kinds of peers.</summary>
    public static IReadOnlyList<string> Peers => Rows[0][1..];

    /// <summary>The doors.</summary>
    public static IReadOnlyList<string> Doors => [.. Rows[1..].Select(row => row[0])];

    /// <summary>What the page says about a door and a kind of peer; a dash when the peer cannot be there.</summary>
    public static string Cell(string door, string peer) => Rows.Single(row => row[0] == door)[Array.IndexOf(Rows[0], peer)];
}
