using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

/// <summary>
/// Every file of tests/manifests/broken, with exactly the mistakes that stand in the .txt beside it. Files that begin with config- are
/// configs of nodes.
/// </summary>
public class BrokenFileTests
{
    private const string Update = "COCAINE_UPDATE_BROKEN"; // =1 writes the .txt files anew: read what changed before you keep it

    private static readonly string Folder = Path.Combine(Samples.Folder, "broken");

    public static TheoryData<string> Names => [.. Files("*.json")];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_has_exactly_these_mistakes(string name)
    {
        string file = Path.Combine(Folder, name + ".json"), expected = Path.Combine(Folder, name + ".txt");
        bool isConfig = name.StartsWith("config-", StringComparison.Ordinal);
        IReadOnlyList<ManifestProblem> problems = isConfig ? ConfigReader.ReadFile(file).Problems : ManifestReader.ReadFile(file).Problems;
        string text = string.Concat(problems.Select(problem => problem.ToString()[(Folder.Length + 1)..] + "\n"));
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            File.WriteAllText(expected, text);
        }

        Assert.Contains(problems, problem => !problem.IsWarning);
        Assert.Equal(File.ReadAllText(expected), text);
    }

    [Fact]
    public void There_are_at_least_sixty_and_no_expectation_without_a_file()
    {
        Assert.True(Files("*.json").Length >= 60, $"{Files("*.json").Length}");
        Assert.Equal(Files("*.json"), Files("*.txt"));
    }

    [Fact]
    public void Every_key_of_a_manifest_and_of_a_config_is_wrong_somewhere()
    {
        string all = string.Concat(Directory.GetFiles(Folder, "*.txt").Select(File.ReadAllText));
        IEnumerable<KeySpec> keys =
        [
            .. ManifestKeys.Top, .. ManifestKeys.Engine, .. ManifestKeys.Cluster, .. ManifestKeys.Rollout,
            .. DriverRegistry.Table.Names.SelectMany(name => DriverRegistry.Table.Find(name)!.Keys),
            .. IsolationKeys.All, .. ConfigKeys.Top, .. ConfigKeys.Control, .. ConfigKeys.Log, .. ClusterKeys.Top, .. ClusterKeys.Tls,
            .. SecurityKeys.Top, .. SecurityKeys.Tls, .. SecurityKeys.TlsName, .. SecurityKeys.Identity, .. SecurityKeys.Rule,
        ];
        bool IsWrongSomewhere(string key) =>
            all.Contains($".{key}: ") || all.Contains($".{key}[") || all.Contains($"the key '{key}' is missing");
        Assert.DoesNotContain(keys.Select(key => key.Name), key => !IsWrongSomewhere(key));
    }

    private static string[] Files(string pattern) =>
        [.. Directory.GetFiles(Folder, pattern).Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];
}
