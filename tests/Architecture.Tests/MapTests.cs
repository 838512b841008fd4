using System.Text.RegularExpressions;
using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>The names, paths and links of the documents lead to something, and the documents fit a screen.</summary>
public partial class MapTests
{
    private const int LongestLine = 100;

    private static string Map => File.ReadAllText(Path.Combine(Root, "docs", "architecture.md"));

    public static TheoryData<string> Pages => [.. Documents.Select(file => Path.GetRelativePath(Root, file))];

    [Fact]
    public void Names_of_the_map_are_types_of_the_sources()
    {
        string[] words = [.. WordsOfMap()];
        string[] names = [.. words.Where(word => TypeName().IsMatch(word) && word.Any(char.IsLower))];
        Assert.InRange(names.Length, 100, 1000);

        Dictionary<string, string> types = TypesOfSources();
        List<string> lost = [];
        foreach (string name in names.Distinct())
        {
            string[] parts = name.Split('.');
            if (!types.TryGetValue(parts[0], out string? text))
            {
                lost.Add($"{name}: no such type");
            }
            else if (parts.Length > 1 && !Regex.IsMatch(text, $@"\b{parts[1]}\b *(\(|\{{|=>|=|;)"))
            {
                lost.Add($"{name}: no such member");
            }
        }

        Assert.Empty(lost);
    }

    [Fact]
    public void Paths_of_the_map_are_there() => Assert.DoesNotContain(
        WordsOfMap().Where(word => Regex.IsMatch(word, @"^(src|tests|workers|bench)/[\w./]+$")), path => !Path.Exists(Path.Combine(Root, path)));

    [Fact]
    public void Rooms_of_the_map_use_what_they_may_use()
    {
        Dictionary<string, string> rows = Regex.Matches(Map, @"^\| `src/(\w+)` \| [^|]+ \| ([^|`]+) \|", RegexOptions.Multiline)
            .ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);
        Assert.Equal(
            StructureTests.Allowed.ToDictionary(room => room.Key, room => room.Value.Length == 0 ? "nothing" : string.Join(", ", room.Value)),
            rows);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_to_something(string page)
    {
        string file = Path.Combine(Root, page);
        foreach (Match link in Regex.Matches(File.ReadAllText(file), @"\]\(([^)\s]+)\)"))
        {
            string[] parts = link.Groups[1].Value.Split('#');
            if (parts[0].Contains("://", StringComparison.Ordinal))
            {
                continue;
            }

            string target = parts[0].Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, parts[0]);
            Assert.True(Path.Exists(target), $"{page}: no {parts[0]}");
            if (parts.Length > 1)
            {
                Assert.True(File.ReadLines(target).Any(line => AnchorOf(line) == parts[1]), $"{page}: no heading for {link.Groups[1].Value}");
            }
        }
    }

    /// <summary>Rows of tables and code cannot be wrapped: code is fenced, or indented by four blanks after an empty line.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public void Lines_fit_a_screen(string page)
    {
        List<string> over = [];
        bool fenced = false, code = false, afterEmpty = true;
        int number = 0;
        foreach (string line in File.ReadLines(Path.Combine(Root, page)))
        {
            number++;
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
            }

            code = line.StartsWith("    ", StringComparison.Ordinal) && (code || afterEmpty);
            afterEmpty = line.Length == 0 || (afterEmpty && code);
            if (line.Length > LongestLine && !fenced && !code && !line.StartsWith('|'))
            {
                over.Add($"{page}:{number}: {line.Length} characters");
            }
        }

        Assert.Empty(over);
    }

    private static IEnumerable<string> WordsOfMap() =>
        Regex.Matches(Map, "`([^`\n]+)`")
            .Select(span => span.Groups[1].Value)
            .Where(span => !span.StartsWith("dotnet ", StringComparison.Ordinal) && !span.StartsWith("-- ", StringComparison.Ordinal))
            .SelectMany(span => span.Split(' '));

    /// <summary>Each type of <c>src</c>, with the text of the files that declare it.</summary>
    private static Dictionary<string, string> TypesOfSources()
    {
        Dictionary<string, string> types = [];
        foreach (string text in Sources("src").Select(File.ReadAllText))
        {
            foreach (Match type in DeclaredType().Matches(text))
            {
                types[type.Groups[1].Value] = types.GetValueOrDefault(type.Groups[1].Value, "") + text;
            }
        }

        return types;
    }

    /// <summary>The anchor that a heading gets on the web; null of other lines.</summary>
    private static string? AnchorOf(string line) => line.StartsWith('#')
        ? Regex.Replace(line.TrimStart('#').Trim().ToLowerInvariant(), @"[^\w\- ]", "").Replace(' ', '-') : null;

    [GeneratedRegex(@"^[A-Z]\w*(\.[A-Z]\w*)?$")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum) +(?:struct +|class +)?([A-Z]\w*)")]
    private static partial Regex DeclaredType();
}
