namespace Cocaine.Fast.Architecture.Tests;

/// <summary>
/// Directions within a project: of two folders one uses the other, and files that use each other in a circle are few. The lists are what is
/// left; they may only get shorter.
/// </summary>
public class DirectionTests
{
    /// <summary>Folders that use each other, by project.</summary>
    private static readonly Dictionary<string, string[]> Mutual = new()
    {
        ["Worker"] = ["Apps ↔ Serving"],
    };

    /// <summary>Files of the largest circle of a project, where there are more than three.</summary>
    private static readonly Dictionary<string, int> LargestCircle = new()
    {
        ["Client"] = 8,
        ["Worker"] = 8,
    };

    public static TheoryData<string> Projects => [.. Repository.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_two_folders_use_each_other_but_those_that_are_left(string project) =>
        Assert.Equal(Mutual.GetValueOrDefault(project, []), GraphOf(project).MutualFolders());

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_circle_has_more_than_three_files_but_those_that_are_left(string project)
    {
        IReadOnlyList<string> largest = GraphOf(project).Circles().FirstOrDefault([]);
        int bound = LargestCircle.GetValueOrDefault(project, 3);
        Assert.True(largest.Count <= bound, $"a circle of {largest.Count} files: {string.Join(", ", largest)}");
        Assert.True(bound == 3 || largest.Count == bound, $"the bound of {project} can be {largest.Count} now");
    }

    private static SourceGraph GraphOf(string project)
    {
        string folder = Path.Combine("src", project);
        return SourceGraph.Of(Path.Combine(Repository.Root, folder), Repository.Sources(folder));
    }
}
