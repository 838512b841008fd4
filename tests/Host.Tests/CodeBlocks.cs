namespace Cocaine.Fast.Host.Tests;

/// <summary>The indented blocks of code in a part of a document.</summary>
internal static class CodeBlocks
{
    /// <summary>The blocks of a page's section, or of the whole page, without their indent.</summary>
    public static IReadOnlyList<string> Of(string page, string? section = null)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, page));
        return [.. Split(section is null ? text : text.Split($"## {section}\n")[1].Split("\n## ")[0])];
    }

    private static IEnumerable<string> Split(string text)
    {
        List<string> block = [];
        foreach (string line in text.Split('\n').Append("end"))
        {
            if (line.StartsWith("    ", StringComparison.Ordinal))
            {
                block.Add(line[4..]);
            }
            else if (block.Count > 0)
            {
                yield return string.Join('\n', block);
                block.Clear();
            }
        }
    }
}
