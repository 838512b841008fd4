using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>Counts sentences that begin without a name, and words that stand for things.</summary>
internal sealed partial class Prose
{
    private static readonly HashSet<string> AlwaysHeadless = ["What", "Whatever", "Who", "Whoever", "Whose", "Those"];

    /// <summary>First words that stand for a thing of another sentence, or of a name below the comment.</summary>
    private static readonly HashSet<string> Pronouns = ["It", "Its", "They", "Their"];

    /// <summary>After "That", "One" and "Such" these words say that no noun follows.</summary>
    private static readonly HashSet<string> NoNouns =
    [
        .. ("is are was were be has have had may might must can cannot could will would shall should does do did that which who whom whose of "
            + "in on to at by for from with without as it they them he she we you the a an no not nobody nothing never also only then there "
            + "this these those its their after before below above over under between beside and or but so than if when where while until "
            + "because since too ends goes comes").Split(' '),
    ];

    /// <summary>Sentences so far.</summary>
    public int Sentences { get; private set; }

    /// <summary>Words so far.</summary>
    public int Words { get; private set; }

    /// <summary>Words that stand for something: what, who, whose, such.</summary>
    public int Pointers { get; private set; }

    /// <summary>The sentences that begin without a name.</summary>
    public List<string> Headless { get; } = [];

    /// <summary>The sentences that begin with a pronoun.</summary>
    public List<string> BeginWithPronoun { get; } = [];

    /// <summary>Paragraphs, items of lists and cells of tables, without code and without the parts that tests generate.</summary>
    public static IEnumerable<string> ParagraphsOfMarkdown(string[] lines)
    {
        string paragraph = "";
        bool fenced = false, generated = false, code = false, afterEmpty = true;
        foreach (string line in lines.Append(""))
        {
            fenced ^= line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            generated = line.StartsWith("<!-- generated", StringComparison.Ordinal)
                || (generated && !line.StartsWith("<!-- end", StringComparison.Ordinal));
            code = line.StartsWith("    ", StringComparison.Ordinal) && (code || afterEmpty);
            afterEmpty = line.Length == 0;
            bool isCode = fenced || generated || code || line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            bool isItem = !isCode && ItemOfList().IsMatch(line);
            if (afterEmpty || isCode || isItem || line[0] is '|' or '#' or '<')
            {
                if (paragraph.Length > 0)
                {
                    yield return paragraph;
                }

                paragraph = isItem ? ItemOfList().Replace(line, "") : "";
                foreach (string cell in !isCode && line.StartsWith('|') ? line.Split('|') : [])
                {
                    yield return cell.Trim();
                }
            }
            else
            {
                paragraph += " " + line.Trim();
            }
        }
    }

    /// <summary>Comments of C#: a run of lines is a paragraph, and so is each element of an XML comment.</summary>
    public static IEnumerable<string> ParagraphsOfComments(string[] lines)
    {
        string paragraph = "";
        foreach (string line in lines.Append(""))
        {
            Match comment = Comment().Match(line);
            bool isWholeLine = comment.Success && line[..comment.Index].Trim().Length == 0;
            if (isWholeLine)
            {
                paragraph += " " + comment.Groups[1].Value;
                continue;
            }

            foreach (string part in Paragraphs().Split(paragraph))
            {
                yield return Element().Replace(part, "X");
            }

            paragraph = "";
            if (comment.Success)
            {
                yield return comment.Groups[1].Value;
            }
        }
    }

    /// <summary>Counts paragraphs.</summary>
    public void AddAll(IEnumerable<string> paragraphs)
    {
        foreach (string paragraph in paragraphs)
        {
            string text = Marks().Replace(CodeSpan().Replace(paragraph, "X"), "");
            foreach (string sentence in EndOfSentence().Split(text))
            {
                Add(sentence.Trim());
            }
        }
    }

    private void Add(string sentence)
    {
        string[] words = [.. Word().Matches(sentence).Select(word => word.Value)];
        if (words.Length == 0)
        {
            return;
        }

        Sentences++;
        Words += words.Length;
        Pointers += words.Count(word => word.ToLowerInvariant() is "what" or "who" or "whose" or "such");
        if (!sentence.EndsWith('?') && IsHeadless(words))
        {
            Headless.Add(sentence);
        }

        if (Pronouns.Contains(words[0]))
        {
            BeginWithPronoun.Add(sentence);
        }
    }

    private static bool IsHeadless(string[] words)
    {
        string next = words.Length > 1 ? words[1].ToLowerInvariant() : "is";
        return AlwaysHeadless.Contains(words[0])
            || (words[0] is "That" or "One" && NoNouns.Contains(next))
            || (words[0] == "Such" && next is not ("a" or "an") && NoNouns.Contains(next));
    }

    [GeneratedRegex(@"^ *([-*+]|\d+\.) +")]
    private static partial Regex ItemOfList();

    /// <summary>Two slashes that no string holds: no quote is open before them.</summary>
    [GeneratedRegex("""(?<=^[^"]*(?:"[^"]*"[^"]*)*)///? ?(.*)$""")]
    private static partial Regex Comment();

    [GeneratedRegex("</?(?:summary|remarks|param|returns|exception|typeparam|para|inheritdoc)[^>]*>")]
    private static partial Regex Paragraphs();

    [GeneratedRegex("<[^>]*>[^<]*</[^>]*>|<[^>]*>")]
    private static partial Regex Element();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"[*_""\[\]]|\]\([^)]*\)")]
    private static partial Regex Marks();

    [GeneratedRegex(@"(?<=[.!?])\s+(?=[A-Z0-9(])")]
    private static partial Regex EndOfSentence();

    [GeneratedRegex("[A-Za-z']+")]
    private static partial Regex Word();
}
