using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

/// <summary>Every manifest, and every part of one, that the documentation shows is one that the reader takes.</summary>
public class DocumentedManifestTests
{
    public static TheoryData<string> Pages => [.. Files().Select(file => Path.GetRelativePath(RepositoryRoot.Path, file))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Its_manifests_are_valid(string page)
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, page));
        foreach ((int line, string snippet) in Snippets(lines))
        {
            ManifestResult result = ManifestReader.Read(Encoding.UTF8.GetBytes(Whole(snippet)), "snippet.json", customDrivers: ["udp-listener"]);
            Assert.True(result.Problems.Count == 0, $"{page}:{line}: {string.Join('\n', result.Problems)}\n{snippet}");
        }
    }

    [Fact]
    public void Snippets_are_found_where_they_are() =>
        Assert.InRange(Files().Sum(file => Snippets(File.ReadAllLines(file)).Count()), 15, 1000);

    private static IEnumerable<string> Files() =>
        Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "docs"), "*.md").Append(Path.Combine(RepositoryRoot.Path, "README.md"))
            .Where(file => Snippets(File.ReadAllLines(file)).Any());

    /// <summary>
    /// Code blocks, indented or fenced, that have tasks; and lines of such blocks that begin with a key of a manifest. Signatures of languages
    /// and answers of the node have none.
    /// </summary>
    private static IEnumerable<(int Line, string Text)> Snippets(string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            string text = lines[i].Trim();
            bool isCode = lines[i].StartsWith("    ", StringComparison.Ordinal) || (i > 0 && lines[i - 1].StartsWith("```json", StringComparison.Ordinal));
            if (isCode && text.StartsWith("\"tasks\"", StringComparison.Ordinal) && text.EndsWith('}'))
            {
                yield return (i + 1, text);
            }
            else if (isCode && text.StartsWith('{'))
            {
                int end = i;
                while (end < lines.Length && lines[end].Length > 0 && !lines[end].StartsWith("```", StringComparison.Ordinal))
                {
                    end++;
                }

                string block = string.Join('\n', lines[i..end]);
                if (block.Contains("\"tasks\"", StringComparison.Ordinal))
                {
                    yield return (i + 1, block);
                }

                i = end - 1;
            }
        }
    }

    /// <summary>A part stands in a manifest that has the rest; "…" stands for tasks that the reader may choose.</summary>
    private static string Whole(string snippet)
    {
        string filled = snippet.Replace("{ … }", "{ \"echo\": { \"type\": \"native-server\", \"endpoint\": \"tcp://lo:9100\" } }", StringComparison.Ordinal);
        return filled.StartsWith('"') ? $"{{ \"type\": \"python\", \"args\": \"app.py\", {filled} }}" : filled;
    }
}
