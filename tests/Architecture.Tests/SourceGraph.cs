using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>
/// Which source file names the types of which other one, found by the words in the code: comments and texts do not count. A type whose name
/// stands in several files of a project is found by the usings of the file that names it.
/// </summary>
internal sealed partial class SourceGraph
{
    private readonly Dictionary<string, HashSet<string>> _uses = [];

    private SourceGraph()
    {
    }

    /// <summary>The files, each with those that it uses. Paths are relative to the project.</summary>
    public IReadOnlyDictionary<string, HashSet<string>> Uses => _uses;

    /// <summary>Reads the C# files of a folder and its folders.</summary>
    public static SourceGraph Of(string folder, IEnumerable<string> files)
    {
        Dictionary<string, (string Code, string Space, HashSet<string> Usings)> read = [];
        Dictionary<string, List<string>> places = []; // by type: the files that declare it
        foreach (string path in files)
        {
            string text = File.ReadAllText(path), file = Path.GetRelativePath(folder, path);
            string code = Noise().Replace(text, " ");
            HashSet<string> usings = [.. Using().Matches(code).Select(match => match.Groups[1].Value)];
            read[file] = (Using().Replace(code, ""), Space().Match(code).Groups[1].Value, usings);
            foreach (Match declared in Declaration().Matches(code))
            {
                places.TryAdd(declared.Groups[1].Value, []);
                places[declared.Groups[1].Value].Add(file);
            }
        }

        SourceGraph graph = new();
        foreach ((string file, (string code, string space, HashSet<string> usings)) in read)
        {
            HashSet<string> used = graph._uses[file] = [];
            foreach (string word in Word().Matches(code).Select(match => match.Value).Distinct())
            {
                foreach (string place in places.GetValueOrDefault(word, []))
                {
                    string other = read[place].Space;
                    if (place != file && (usings.Contains(other) || space == other || space.StartsWith(other + ".", StringComparison.Ordinal)))
                    {
                        used.Add(place);
                    }
                }
            }
        }

        return graph;
    }

    /// <summary>Folders that use each other, as <c>A ↔ B</c>.</summary>
    public IEnumerable<string> MutualFolders()
    {
        HashSet<(string From, string To)> edges = [.. _uses.SelectMany(
            pair => pair.Value.Select(to => (FolderOf(pair.Key), FolderOf(to))).Where(edge => edge.Item1 != edge.Item2))];
        return edges.Where(edge => string.CompareOrdinal(edge.From, edge.To) < 0 && edges.Contains((edge.To, edge.From)))
            .Select(edge => $"{edge.From} ↔ {edge.To}").Order();
    }

    /// <summary>Groups of files of which each reaches each other one, the largest first.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Circles()
    {
        Dictionary<string, HashSet<string>> reach = _uses.Keys.ToDictionary(file => file, Reach);
        HashSet<string> seen = [];
        List<IReadOnlyList<string>> circles = [];
        foreach (string file in _uses.Keys.Order())
        {
            if (seen.Contains(file) || !reach[file].Contains(file))
            {
                continue;
            }

            string[] circle = [.. reach[file].Where(other => reach[other].Contains(file)).Order()];
            seen.UnionWith(circle);
            circles.Add(circle);
        }

        return [.. circles.OrderByDescending(circle => circle.Count)];
    }

    private HashSet<string> Reach(string file)
    {
        HashSet<string> reached = [];
        Stack<string> next = new(_uses[file]);
        while (next.TryPop(out string? one))
        {
            if (reached.Add(one))
            {
                foreach (string used in _uses[one])
                {
                    next.Push(used);
                }
            }
        }

        return reached;
    }

    private static string FolderOf(string file) => Path.GetDirectoryName(file) is { Length: > 0 } folder ? folder : ".";

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])'""", RegexOptions.Singleline)]
    private static partial Regex Noise();

    [GeneratedRegex(@"^using (?:static )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Space();

    [GeneratedRegex(
        @"^(?:(?:public|internal|static|sealed|abstract|unsafe|readonly|partial|ref|file) )+(?:class|struct|interface|enum|record(?: struct)?) (\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*|(?<=\b(?:Core|Transport|Drivers|Node|Worker|Client|Backends)\.(?:\w+\.)*)[A-Z]\w*")]
    private static partial Regex Word();
}
