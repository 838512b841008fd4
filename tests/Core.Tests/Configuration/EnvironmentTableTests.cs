using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Core.Tests.Configuration;

/// <summary>The table of environment variables is all that the sources read, and a name means one thing.</summary>
public class EnvironmentTableTests
{
    private const string Name = @"([A-Z][A-Z0-9_]+)";

    /// <summary>How each language reads a variable.</summary>
    private static readonly Dictionary<string, string> Reads = new()
    {
        [".cs"] = $"(?:GetEnvironmentVariable|variable)\\(\"{Name}\"",
        [".py"] = $"os\\.(?:environ(?:\\.get\\(|\\[)|getenv\\()\"{Name}\"",
        [".pm"] = @"\$ENV\{" + Name + @"\}",
        [".pl"] = @"\$ENV\{" + Name + @"\}",
        [".js"] = @"process\.env\." + Name,
        [".hpp"] = $"getenv\\(\"{Name}\"\\)",
        [".cpp"] = $"getenv\\(\"{Name}\"\\)",
    };

    [Fact]
    public void Every_variable_that_is_read_is_in_the_table()
    {
        HashSet<string> known = [.. EnvironmentNames.All.Select(one => one.Name)];
        List<string> unknown = [];
        foreach (string file in Sources())
        {
            if (Reads.TryGetValue(Path.GetExtension(file), out string? pattern))
            {
                unknown.AddRange(Regex.Matches(File.ReadAllText(file), pattern).Select(match => match.Groups[1].Value)
                    .Where(name => !known.Contains(name)).Select(name => $"{file}: {name}"));
            }
        }

        Assert.Empty(unknown);
    }

    [Fact]
    public void Names_of_our_own_are_written_in_one_place_of_the_node()
    {
        IEnumerable<string> strays = Sources().Where(file => Path.GetExtension(file) == ".cs" && Path.GetFileName(file) != "EnvironmentNames.cs")
            .Where(file => Regex.IsMatch(File.ReadAllText(file), "\"COCAINE_[A-Z_]+\"")).Select(file => file);
        Assert.Empty(strays);
    }

    [Fact]
    public void A_name_is_in_the_table_once() =>
        Assert.Equal(EnvironmentNames.All.Select(one => one.Name).Distinct(), EnvironmentNames.All.Select(one => one.Name));

    private static IEnumerable<string> Sources() => new[] { "src", "workers", "scripts", "templates" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, folder), "*", SearchOption.AllDirectories))
        .Where(file => !Regex.IsMatch(file, "/(bin|obj|tests|node_modules)/"));
}
