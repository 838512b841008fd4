using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>What the SDKs promise of their sources. Python's, JavaScript's and Perl's tests look for circles of their files themselves.</summary>
public class SdkTests
{
    private static readonly string Workers = Path.Combine(Repository.Root, "workers");

    /// <summary>The bounds that every SDK has, or says why it has not.</summary>
    private static readonly string[] Limits =
    [
        "PROVEN_RUNS", "QUICK_SECONDS", "HEARTBEAT_SECONDS", "NODE_SILENCE_SECONDS", "BATCH_BYTES", "UNREAD_BYTES", "MESSAGE_BYTES",
        "FAILURE_TEXT_BYTES", "DEPTH",
    ];

    private static readonly string[] Concepts =
        ["worker", "app", "call", "session", "channel", "streams", "output", "link", "frames", "msgpack", "headers", "limits", "testing"];

    [Theory]
    [InlineData("workers/python/cocaine/limits.py")]
    [InlineData("workers/javascript/lib/limits.js")]
    [InlineData("workers/perl/lib/Cocaine/Limits.pm")]
    [InlineData("workers/cpp/include/cocaine/detail/limits.hpp")]
    [InlineData("src/Worker/Jobs/Limits.cs")]
    public void Limits_have_the_same_names_in_each_language(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, file));
        Assert.All(Limits, name => Assert.Matches($@"(?i)\b{(file.EndsWith(".cs", StringComparison.Ordinal) ? name.Replace("_", "") : name)}\b", text));
    }

    /// <summary>Who knows one SDK finds his way in each other one.</summary>
    [Theory]
    [InlineData("python/cocaine", ".py")]
    [InlineData("javascript/lib", ".js")]
    [InlineData("perl/lib/Cocaine", ".pm")]
    [InlineData("cpp/include/cocaine", ".hpp")]
    public void Concepts_have_files_of_the_same_names_in_each_language(string folder, string ending)
    {
        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(Workers, folder), "*" + ending, SearchOption.AllDirectories)
            .Select(file => Path.GetFileNameWithoutExtension(file).ToLowerInvariant().Replace("messagepack", "msgpack"));
        Assert.Empty(Concepts.Except(files));
    }

    [Fact]
    public void Headers_of_Cpp_include_each_other_in_one_direction()
    {
        Dictionary<string, HashSet<string>> left = Headers().ToDictionary(file => file, Included);
        Assert.Contains(left, pair => pair.Key.EndsWith("/session.hpp", StringComparison.Ordinal)
            && pair.Value.Any(other => other.EndsWith("/output.hpp", StringComparison.Ordinal)));
        while (left.Keys.Where(file => !left[file].Any(left.ContainsKey)).ToList() is { Count: > 0 } free)
        {
            free.ForEach(file => left.Remove(file));
        }

        Assert.Empty(left.Keys); // those that stand in a circle, or above one
    }

    [Fact]
    public void Headers_of_Cpp_have_short_lines_and_name_their_codes()
    {
        List<string> wrong = [];
        foreach (string file in Headers())
        {
            foreach ((string line, int index) in File.ReadAllLines(file).Select((line, index) => (line, index)))
            {
                bool isBare = Regex.IsMatch(Regex.Replace(line, "//.*|\"[^\"]*\"", ""), @"\b(1000|404|502|42)\b")
                    && !Regex.IsMatch(line, "constexpr|heartbeat_seconds \\* 1000|timeout_ms \\* 1000|_ms \\* 1000|/ 1000");
                if (line.Length > 140 || isBare)
                {
                    wrong.Add($"{file}:{index + 1}: {line}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    private static IEnumerable<string> Headers() =>
        Directory.EnumerateFiles(Path.Combine(Workers, "cpp/include"), "*.hpp", SearchOption.AllDirectories);

    private static HashSet<string> Included(string file) =>
    [
        .. Regex.Matches(File.ReadAllText(file), "^#include \"([^\"]+)\"", RegexOptions.Multiline)
            .Select(match => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, match.Groups[1].Value))),
    ];
}
