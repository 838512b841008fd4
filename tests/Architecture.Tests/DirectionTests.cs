namespace Cocaine.Fast.Architecture.Tests;

/// <summary>Directions within a project: of two folders at most one uses the other, and files that use each other in a circle are few.</summary>
public class DirectionTests
{
    /// <summary>Enough for an object and its parts, which know each other.</summary>
    private const int LargestCircle = 3;

    public static TheoryData<string> Projects => [.. Repository.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_two_folders_use_each_other(string project) => Assert.Empty(GraphOf(project).MutualFolders());

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_circle_has_more_than_three_files(string project)
    {
        IReadOnlyList<string> largest = GraphOf(project).Circles().FirstOrDefault([]);
        Assert.True(largest.Count <= LargestCircle, $"a circle of {largest.Count} files: {string.Join(", ", largest)}");
    }

    private static SourceGraph GraphOf(string project)
    {
        string folder = Path.Combine("src", project);
        return SourceGraph.Of(Path.Combine(Repository.Root, folder), Repository.Sources(folder));
    }
}
