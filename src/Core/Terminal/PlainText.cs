using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cocaine.Fast.Core.Terminal;

/// <summary>
/// Text of apps and peers in a form that is safe to show: no character of it controls a terminal, begins a line of its own or turns a line
/// around. Such characters are shown as <c>\u001b</c>. Every text from outside goes through this class before it is on a terminal or in a
/// log.
/// </summary>
internal static class PlainText
{
    /// <summary>The characters of nearly all texts: a text of these alone is returned as it is.</summary>
    private static readonly SearchValues<char> Printable = SearchValues.Create(
        [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(letter => (char)letter)]);

    /// <summary>The text on one line: line breaks and tabs are escaped too.</summary>
    public static string OneLine(string text) => Escaped(text, keepsLines: false);

    /// <summary>The text with its line breaks and tabs; all other characters that would not print are escaped.</summary>
    public static string Lines(string text) => Escaped(text, keepsLines: true);

    /// <summary>The text over several lines, all but the first indented, so that none of them looks like a line of the program.</summary>
    public static string Indented(string text) =>
        Lines(text.TrimEnd()).Replace("\n", "\n    ", StringComparison.Ordinal);

    private static string Escaped(string text, bool keepsLines)
    {
        if (!text.AsSpan().ContainsAnyExcept(Printable))
        {
            return text;
        }

        StringBuilder shown = new(text.Length + 16);
        int at = 0;
        foreach (Rune letter in text.EnumerateRunes())
        {
            at += letter.Utf16SequenceLength;
            bool isBreak = letter.Value is '\n' or '\t' || (letter.Value == '\r' && at < text.Length && text[at] == '\n');
            if (keepsLines && isBreak)
            {
                shown.Append(letter.Value == '\r' ? "" : letter.ToString());
            }
            else if (IsHidden(letter))
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{letter.Value:x4}");
            }
            else
            {
                shown.Append(letter.ToString());
            }
        }

        return shown.ToString();
    }

    /// <summary>C0, DEL and C1; characters that turn or join letters, or are invisible; breaks that are no newline.</summary>
    private static bool IsHidden(Rune letter) => Rune.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
