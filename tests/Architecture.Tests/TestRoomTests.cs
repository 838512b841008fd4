using System.Text.RegularExpressions;
using System.Xml.Linq;
using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>Tests stand where their subject is: which rooms a test project uses, and how its folders use each other.</summary>
public partial class TestRoomTests
{
    /// <summary>Most rooms are reached as their users reach them: through a node, by a client.</summary>
    private const string Composed = "tests put the room into a node and call it with a client";

    /// <summary>Test projects that are not a room's, and the rooms that their subject is made of.</summary>
    private static readonly Dictionary<string, string[]> Subjects = new()
    {
        ["Architecture"] = [],
        ["Languages"] = ["Core", "Client", "Drivers", "Node", "Tools"], // the SDKs of workers, in a node and under worker-check
    };

    /// <summary>The rooms that a test project uses beside those that its room uses, each with the reason.</summary>
    private static readonly Dictionary<string, Dictionary<string, string>> Beyond = new()
    {
        ["Core"] = new() { ["Drivers"] = "manifests are checked against the keys of the drivers" },
        ["Backends"] = new() { ["Client"] = Composed, ["Node"] = Composed },
        ["Worker"] = new()
        {
            ["Node"] = Composed,
            ["Tools"] = "apps are tested under load",
        },
        ["Drivers"] = new()
        {
            ["Client"] = Composed,
            ["Node"] = Composed,
            ["Tools"] = "the watcher of Tools is the other end of published results",
        },
        ["Client"] = new() { ["Node"] = Composed },
        ["Node"] = new()
        {
            ["Tools"] = "allocations are counted under load; owners of descriptors are listed once for all rooms",
            ["Worker"] = "owners of descriptors are listed once for all rooms",
        },
    };

    private static readonly string[] Names =
        [.. Directory.GetDirectories(Path.Combine(Root, "tests"), "*.Tests").Select(folder => Path.GetFileName(folder)[..^".Tests".Length]).Order()];

    public static TheoryData<string> TestProjects => [.. Names];

    [Fact]
    public void Every_room_has_its_tests() => Assert.Equal(
        StructureTests.Allowed.Keys.Concat(Subjects.Keys).Order(), Names);

    [Theory]
    [MemberData(nameof(TestProjects))]
    public void Tests_use_their_room_the_rooms_that_it_uses_and_those_listed_with_a_reason(string name)
    {
        string[] ofRoom = Subjects.TryGetValue(name, out string[]? subject) ? subject : [name, .. StructureTests.Allowed[name]];
        string[] beyond = [.. Beyond.GetValueOrDefault(name, []).Keys];
        string[] used = [.. Sources($"tests/{name}.Tests").SelectMany(RoomsOf).Concat(ReferencesOf(name)).Distinct().Order()];
        Assert.Empty(used.Except(ofRoom).Except(beyond));
        Assert.Empty(beyond.Except(used)); // the list has nothing that is not needed any more
        Assert.Empty(beyond.Intersect(ofRoom));
    }

    /// <summary>A helper that one project uses belongs into that project.</summary>
    [Fact]
    public void The_harness_has_what_two_or_more_projects_use()
    {
        Dictionary<string, string> tests = Names.ToDictionary(
            name => name, name => string.Concat(Sources($"tests/{name}.Tests").Select(File.ReadAllText)));
        string[] files = [.. Sources("tests/Harness")];
        Dictionary<string, string> harness = files.ToDictionary(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);
        List<string> alone = [];
        foreach ((string type, string text) in harness)
        {
            string[] names = [type, .. Extension().Matches(text).Select(match => match.Groups[1].Value)];
            bool Uses(string code) => names.Any(one => Regex.IsMatch(code, $@"\b{Regex.Replace(one, "Attribute$", "")}\b"));
            int users = tests.Values.Count(Uses) + (harness.Any(other => other.Key != type && Uses(other.Value)) ? 1 : 0);
            if (users < 2)
            {
                alone.Add(type);
            }
        }

        Assert.Empty(alone);
    }

    [Theory]
    [MemberData(nameof(TestProjects))]
    public void No_two_folders_of_tests_use_each_other(string name)
    {
        string folder = $"tests/{name}.Tests";
        Assert.Empty(SourceGraph.Of(Path.Combine(Root, folder), Sources(folder)).MutualFolders());
    }

    private static IEnumerable<string> RoomsOf(string file)
    {
        string text = File.ReadAllText(file);
        return StructureTests.Allowed.Keys.Where(room => Regex.IsMatch(text, $@"\busing (static )?Cocaine\.Fast\.{room}\b(?!\.Tests)"));
    }

    private static IEnumerable<string> ReferencesOf(string name) => XDocument.Load(Path.Combine(Root, $"tests/{name}.Tests/{name}.Tests.csproj"))
        .Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value)
        .Where(path => path.StartsWith("../../src/", StringComparison.Ordinal)).Select(path => path.Split('/')[3]);

    [GeneratedRegex(@"static [^\n(]*? (\w+)(?:<\w+>)?\(\s*this ")]
    private static partial Regex Extension();
}
