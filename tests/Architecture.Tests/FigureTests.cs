using System.Text.RegularExpressions;
using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>
/// Figures of the structure, so that a review finds them here and they stay true. A bound is the figure of today with little room above it;
/// a figure far below its bound fails too, and the bound goes down.
/// </summary>
public class FigureTests
{
    private const int LongFileLines = 350;

    /// <summary>The part of a bound that a figure may be below it.</summary>
    private const double Room = 0.2;

    /// <summary>Files of <c>src</c> that are longer than a file should be. The list may only get shorter.</summary>
    private static readonly string[] LongFiles =
    [
        "src/Core/Protocol/MessageDecoder.cs",
        "src/Core/Slaves/Slave.cs",
    ];

    private static IReadOnlyList<int> Lengths => [.. Sources("src").Select(file => File.ReadLines(file).Count()).Order()];

    [Fact]
    public void Long_files_are_those_that_are_left() => Assert.Equal(
        LongFiles, Sources("src").Where(file => File.ReadLines(file).Count() > LongFileLines).Select(file => Path.GetRelativePath(Root, file)).Order());

    [Fact]
    public void The_median_file_is_short() => Check("lines of the median file", Lengths[Lengths.Count / 2], bound: 75);

    [Fact]
    public void The_longest_file_has_its_bound() => Check("lines of the longest file", Lengths[^1], bound: 505);

    [Fact]
    public void The_longest_method_has_its_bound() => Check(
        "lines of the longest method", Sources("src").SelectMany(file => Methods(File.ReadAllLines(file))).Max(method => method.Lines), bound: 66);

    /// <summary>Programs that host a node see these types: each one more is a promise more.</summary>
    [Fact]
    public void The_public_types_of_the_node_are_few() => Check(
        "public types of Node", Sources(Path.Combine("src", "Node")).Sum(file => Regex.Count(
            File.ReadAllText(file), @"^public (?:\w+ )*(?:class|struct|record|interface|enum) ", RegexOptions.Multiline)), bound: 19);

    /// <summary>The bodies of methods and of members like them, by their braces: the line of the first one, and the lines between both.</summary>
    internal static IEnumerable<(int Start, int Lines)> Methods(string[] lines)
    {
        int start = -1;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] == "    {")
            {
                start = i;
            }
            else if (lines[i] == "    }" && start >= 0)
            {
                if (start == 0 || !Regex.IsMatch(lines[start - 1], @"\b(class|struct|record|interface|enum)\b"))
                {
                    yield return (start, i - start - 1);
                }

                start = -1;
            }
        }
    }

    private static void Check(string figure, int now, int bound)
    {
        Assert.True(now <= bound, $"{figure}: {now}, over the bound of {bound}");
        Assert.True(now >= bound * (1 - Room), $"{figure}: {now}; the bound of {bound} can go down");
    }
}
