using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>
/// Plain English: a sentence begins with the thing that it is about, and few words stand for things that have a name. The bounds are
/// those of today; they may only go down.
/// </summary>
public class LanguageTests
{
    private static readonly Bounds Documents = new(HeadlessPercent: 0.3, PronounPercent: 0.4, PointersPerHundred: 0.35);
    private static readonly Bounds Comments = new(HeadlessPercent: 0.1, PronounPercent: 1.0, PointersPerHundred: 0.25);

    [Fact]
    public void Documents_begin_their_sentences_with_a_name()
    {
        Prose prose = new();
        foreach (string file in Repository.Documents.Where(file => !file.Contains("/tests/")))
        {
            prose.AddAll(Prose.ParagraphsOfMarkdown(File.ReadAllLines(file)));
        }

        Check(prose, Documents);
    }

    [Fact]
    public void Comments_begin_their_sentences_with_a_name()
    {
        Prose prose = new();
        foreach (string file in Sources("src"))
        {
            prose.AddAll(Prose.ParagraphsOfComments(File.ReadAllLines(file)));
        }

        Check(prose, Comments);
    }

    [Theory]
    [InlineData("What changes something goes on. Those that end are gone. A slave ends.", 2)]
    [InlineData("One is enough. One loop is a thread. That is all. That loop is busy. Who asks?", 2)]
    [InlineData("Such a job ends. A bound of 0.5 s, e.g. one, is short. `Who` may connect.", 0)]
    public void Sentences_without_a_head_are_found(string text, int headless)
    {
        Prose prose = new();
        prose.AddAll([text]);
        Assert.Equal(headless, prose.Headless.Count);
    }

    [Fact]
    public void Sentences_that_begin_with_a_pronoun_are_found()
    {
        Prose prose = new();
        prose.AddAll(["It ends. The slave keeps its jobs. Its jobs end; they are lost. They wait."]);
        Assert.Equal(["It ends.", "Its jobs end; they are lost.", "They wait."], prose.BeginWithPronoun);
    }

    private static void Check(Prose prose, Bounds bounds)
    {
        CheckSentences(prose, prose.Headless, bounds.HeadlessPercent, "begin without a name");
        CheckSentences(prose, prose.BeginWithPronoun, bounds.PronounPercent, "begin with it, its, they or their");
        double pointers = 100.0 * prose.Pointers / prose.Words;
        Assert.True(pointers <= bounds.PointersPerHundred, $"{pointers:F2} of 100 words are what, who, whose or such");
    }

    private static void CheckSentences(Prose prose, List<string> found, double bound, string fault)
    {
        double percent = 100.0 * found.Count / prose.Sentences;
        Assert.True(percent <= bound, $"{percent:F2} % of {prose.Sentences} sentences {fault}: {string.Join('\n', found.Take(30))}");
    }

    private sealed record Bounds(double HeadlessPercent, double PronounPercent, double PointersPerHundred);
}
