using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>Comments are wrapped as paragraphs: an edit that leaves half a line, or a tag in two halves, is a torn comment.</summary>
public partial class CommentTests
{
    private const int Width = 140, Short = 100;

    [Fact]
    public void Comments_are_whole()
    {
        List<string> torn = [];
        foreach (string file in Repository.Sources("src").Concat(Repository.Sources("bench")))
        {
            string[] lines = File.ReadAllLines(file);
            torn.AddRange(Enumerable.Range(0, lines.Length - 1).Where(i => IsTorn(lines[i], lines[i + 1])).Select(i => $"{file}:{i + 1}: {lines[i]}"));
        }

        Assert.Empty(torn);
    }

    [Theory]
    [InlineData("/// call by a", "/// single release store", true)]
    [InlineData("/// Ends it: see <see", "/// cref=\"Job\"/>.", true)]
    [InlineData("/// A whole sentence.", "/// and a list that follows", false)]
    [InlineData("/// <summary>", "/// the text", false)]
    public void A_torn_comment_is_found(string line, string next, bool isTorn) => Assert.Equal(isTorn, IsTorn(line, next));

    private static bool IsTorn(string line, string next)
    {
        if (Text().Match(line) is not { Success: true } one || Text().Match(next) is not { Success: true } other
            || one.Groups["mark"].Value != other.Groups["mark"].Value)
        {
            return false;
        }

        string text = one.Groups["text"].Value, rest = other.Groups["text"].Value;
        bool isHalfTag = HalfTag().IsMatch(text);
        bool goesOn = GoesOn().IsMatch(rest) && !Ends().IsMatch(text) && !text.Contains("  ");
        return isHalfTag || (goesOn && line.Length < Short && line.Length + 1 + rest.Split(' ')[0].Length <= Width);
    }

    [GeneratedRegex(@"^(?<mark>\s*///?) (?<text>[^\s|*•-].*)$")]
    private static partial Regex Text();

    [GeneratedRegex(@"<(see|c|a|paramref)$")]
    private static partial Regex HalfTag();

    [GeneratedRegex(@"^[a-z(]")]
    private static partial Regex GoesOn();

    [GeneratedRegex(@"[.:;>|]$|^</?\w+>")]
    private static partial Regex Ends();
}
