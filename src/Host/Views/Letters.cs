using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace Cocaine.Fast.Host.Views;

/// <summary>Measures text by the columns that it takes in a terminal: a Chinese letter takes two, a combining accent none.</summary>
internal static class Letters
{
    private const string Ellipsis = "…";

    /// <summary>The columns of a line.</summary>
    public static int Width(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    /// <summary>The beginning of a text that is too long, with a mark for the cut.</summary>
    public static string Cut(string text, int width)
    {
        if (Width(text) <= width)
        {
            return text;
        }

        StringBuilder kept = new();
        int taken = Ellipsis.Length;
        TextElementEnumerator letters = StringInfo.GetTextElementEnumerator(text);
        while (letters.MoveNext() && taken + Width(letters.GetTextElement()) <= width)
        {
            taken += Width(letters.GetTextElement());
            kept.Append(letters.GetTextElement());
        }

        return kept.Append(Ellipsis).ToString();
    }

    /// <summary>
    /// A text in lines of at most <paramref name="width"/> columns, broken between words. A word that is longer than a line is left whole:
    /// it is a path or a name.
    /// </summary>
    /// <param name="first">The begin of the first line.</param>
    /// <param name="text">The text, without line breaks.</param>
    /// <param name="width">Columns of a line; null = no limit.</param>
    /// <param name="indent">The begin of further lines.</param>
    public static string Wrapped(string first, string text, int? width, string indent)
    {
        if (width is not { } room || Width(first) + Width(text) <= room)
        {
            return first + text;
        }

        StringBuilder lines = new();
        string line = first;
        bool hasWord = false;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string longer = hasWord ? $"{line} {word}" : line + word;
            if (hasWord && Width(longer) > room)
            {
                lines.Append(line).Append('\n');
                longer = indent + word;
            }

            line = longer;
            hasWord = true;
        }

        return lines.Append(line).ToString();
    }
}
