using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>
/// Plain English: a sentence begins with the thing that it is about, and few words stand for things that have a name. The bounds of the
/// comments are those of today; they may only go down.
/// </summary>
public class LanguageTests
{
    private const double DocumentsHeadlessPercent = 0.3;
    private const double DocumentsPointersPerHundred = 0.35;
    private const double CommentsHeadlessPercent = 0.5;
    private const double CommentsPointersPerHundred = 1.05;

    [Fact]
    public void Documents_begin_their_sentences_with_a_name()
    {
        Prose prose = new();
        foreach (string file in Documents.Where(file => !file.Contains("/tests/")))
        {
            prose.AddAll(Prose.ParagraphsOfMarkdown(File.ReadAllLines(file)));
        }

        Check(prose, DocumentsHeadlessPercent, DocumentsPointersPerHundred);
    }

    [Fact]
    public void Comments_begin_their_sentences_with_a_name()
    {
        Prose prose = new();
        foreach (string file in Sources("src"))
        {
            prose.AddAll(Prose.ParagraphsOfComments(File.ReadAllLines(file)));
        }

        Check(prose, CommentsHeadlessPercent, CommentsPointersPerHundred);
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

    private static void Check(Prose prose, double headlessPercent, double pointersPerHundred)
    {
        double headless = 100.0 * prose.Headless.Count / prose.Sentences;
        double pointers = 100.0 * prose.Pointers / prose.Words;
        Assert.True(headless <= headlessPercent,
            $"{headless:F2} % of {prose.Sentences} sentences begin without a name: {string.Join('\n', prose.Headless.Take(30))}");
        Assert.True(pointers <= pointersPerHundred, $"{pointers:F2} of 100 words are what, who, whose or such");
    }
}
