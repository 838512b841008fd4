using System.Text;
using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Json;

/// <summary>
/// The mistake in a text that is not JSON, in the words of a person who writes JSON by hand: the missing comma, the key without quotes, the
/// file that is YAML.
/// </summary>
/// <param name="Offset">The byte at which to correct the text.</param>
/// <param name="Message">The mistake in words.</param>
internal readonly record struct JsonMistake(long Offset, string Message)
{
    /// <summary>Letters of a word that are shown.</summary>
    private const int MaxShown = 40;

    /// <summary>Stands for a piece that is not punctuation.</summary>
    private const byte AnyValue = (byte)'v';

    /// <summary>Finds the mistake in a text.</summary>
    /// <param name="utf8">The text, which is not JSON.</param>
    /// <param name="offset">The position at which the JSON reader stopped.</param>
    /// <param name="problem">The reader's own message.</param>
    /// <param name="kind">The expected text: "manifest".</param>
    public static JsonMistake Of(ReadOnlySpan<byte> utf8, long offset, string problem, string kind)
    {
        if (OfAnotherFormat(utf8, kind) is { } other)
        {
            return other;
        }

        JsonScan scan = new(utf8);
        Stack<byte> open = [];
        byte before = 0;
        while (scan.Next())
        {
            if (IsAt(in scan, offset))
            {
                return At(in scan, utf8, before, isInObject: open.TryPeek(out byte last) && last == '{', problem, kind)
                    ?? NotJson(offset, Words(problem, kind));
            }

            before = scan.Kind == JsonPiece.Punctuation ? scan.Bytes[0] : AnyValue;
            if (before is (byte)'{' or (byte)'[')
            {
                open.Push(before);
            }
            else if (before is (byte)'}' or (byte)']')
            {
                open.TryPop(out _);
            }
        }

        return NotJson(offset, Words(problem, kind));
    }

    private static JsonMistake NotJson(long offset, string message) => new(offset, $"not JSON: {message}");

    /// <summary>The reader stopped in this piece, or right after it when the piece ends too early.</summary>
    private static bool IsAt(in JsonScan piece, long offset)
    {
        bool isCutOff = piece.Kind == JsonPiece.Word
            || (piece.Kind == JsonPiece.String && (piece.Bytes.Length < 2 || piece.Bytes[^1] != '"'));
        return piece.End > offset || (piece.End == offset && isCutOff);
    }

    /// <summary>YAML, XML and TOML are recognized by the first line that is neither empty nor a comment.</summary>
    private static JsonMistake? OfAnotherFormat(ReadOnlySpan<byte> utf8, string kind)
    {
        int start = 0;
        while (start < utf8.Length)
        {
            int length = utf8[start..].IndexOf((byte)'\n');
            int end = length < 0 ? utf8.Length : start + length;
            string line = Encoding.UTF8.GetString(utf8[start..end]).TrimEnd();
            string text = line.TrimStart();
            bool saysNothing = text.Length == 0 || text[0] == '#' || text.StartsWith("//", StringComparison.Ordinal);
            if (!saysNothing)
            {
                string? format = Regex.IsMatch(text, @"^(---|%YAML|- |'?[\w.-]+'?\s*:(\s|$))") ? "YAML"
                    : text[0] == '<' ? "XML"
                    : Regex.IsMatch(text, @"^(\[[A-Za-z][\w.-]*\]$|[\w.-]+\s*=)") ? "TOML or INI" : null;
                int at = start + Encoding.UTF8.GetByteCount(line) - Encoding.UTF8.GetByteCount(text);
                return format is null ? null
                    : new JsonMistake(at, $"this looks like {format}; a {kind} is JSON: {{ \"key\": \"value\", … }}");
            }

            start = end + 1;
        }

        return null;
    }

    /// <summary>
    /// The mistake, from the piece at which the reader stopped and the piece before it; null when it is not one of the usual mistakes.
    /// </summary>
    private static JsonMistake? At(
        in JsonScan piece, ReadOnlySpan<byte> utf8, byte before, bool isInObject, string problem, string kind)
    {
        char first = (char)piece.Bytes[0];
        if (problem.Contains("single JSON value", StringComparison.Ordinal))
        {
            return first == ':' ? NotJson(0, $"a {kind} begins with {{, and this does not")
                : NotJson(piece.Start, $"the file goes on after the end of its value in line {LineOf(utf8, piece.PreviousEnd - 1)}");
        }

        if (piece.Kind == JsonPiece.String && piece.Bytes[^1] != '"' && !problem.Contains("escapable", StringComparison.Ordinal))
        {
            return NotJson(piece.Start, "the string that begins here has no closing \" on its line");
        }

        bool isValue = piece.Kind is JsonPiece.String or JsonPiece.Word || first is '\'' or '{' or '[';
        if (isValue && problem.Contains("after a value", StringComparison.Ordinal))
        {
            int line = LineOf(utf8, piece.PreviousEnd - 1);
            return NotJson(piece.PreviousEnd, line == LineOf(utf8, piece.Start)
                ? $"a comma is missing before {Shown(piece.Bytes)}" : $"a comma is missing after line {line}");
        }

        if (problem.Contains("after a property name", StringComparison.Ordinal))
        {
            return first is '=' or ';' ? NotJson(piece.Start, $"between a key and its value is a colon, not {first}")
                : NotJson(piece.PreviousEnd, "a colon is missing after the key");
        }

        return first switch
        {
            '\'' => NotJson(piece.Start, "strings and keys are in double quotes: \"…\", not '…'"),
            '#' => NotJson(piece.Start, "a comment begins with //, not with #"),
            ';' => NotJson(piece.Start, "between members is a comma, not ;"),
            _ => piece.Kind == JsonPiece.Word ? OfWord(in piece, isKey: isInObject && before is (byte)'{' or (byte)',', before) : null,
        };
    }

    private static JsonMistake? OfWord(in JsonScan piece, bool isKey, byte before)
    {
        string word = Encoding.UTF8.GetString(piece.Bytes);
        if (!isKey && (char.IsAsciiDigit(word[0]) || word[0] is '-' or '+' or '.'))
        {
            return null; // not a number; the reader's message says enough
        }

        string? known = word.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" => "true",
            "false" or "no" or "off" => "false",
            "null" or "none" or "nil" or "undefined" => "null",
            _ => null,
        };
        return NotJson(piece.Start, isKey ? $"the key {Shown(piece.Bytes)} is not in double quotes"
            : known is not null && before == ':' ? $"{Shown(piece.Bytes)} is written {known} in JSON"
            : word is "NaN" or "Infinity" ? $"{word} is no number in JSON"
            : $"the text {Shown(piece.Bytes)} is not in double quotes");
    }

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        return PlainText.OneLine(text.Length <= MaxShown ? text : text[..MaxShown] + "…");
    }

    private static int LineOf(ReadOnlySpan<byte> utf8, int offset) => 1 + utf8[..Math.Max(0, offset)].Count((byte)'\n');

    /// <summary>The reader's own message, without its position and without its advice for programmers.</summary>
    private static string Words(string problem, string kind)
    {
        if (problem.StartsWith("Expected depth to be zero", StringComparison.Ordinal))
        {
            return "the file ends before every { and [ is closed";
        }

        if (problem.StartsWith("The input does not contain any JSON tokens", StringComparison.Ordinal))
        {
            return $"there is nothing in the file but comments; a {kind} is an object";
        }

        return PlainText.OneLine(problem.Replace(" Change the reader options.", "", StringComparison.Ordinal));
    }
}
