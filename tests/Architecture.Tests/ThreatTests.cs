using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>The table of threats in docs/security.md: each row names a test that exists.</summary>
public class ThreatTests
{
    [Fact]
    public void Each_threat_has_a_test_that_exists()
    {
        string table = File.ReadAllText(Path.Combine(Repository.Root, "docs/security.md")).Split("\n## Threats\n")[1].Split("\n## ")[0];
        string[] rows = [.. table.Split('\n').Where(line => line.StartsWith('|')).Skip(2)];
        Assert.InRange(rows.Length, 15, 100);
        ILookup<string, string> files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);
        foreach (string row in rows)
        {
            Match named = Regex.Match(row, @"`(\w+Tests)\.(\w+)` \|$");
            Assert.True(named.Success, $"no test in the row: {row}");
            string method = $" {named.Groups[2].Value}(";
            Assert.True(files[named.Groups[1].Value].Any(text => text.Contains(method, StringComparison.Ordinal)), $"no such test: {row}");
        }
    }
}
