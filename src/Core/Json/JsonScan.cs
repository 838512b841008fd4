namespace Cocaine.Fast.Core.Json;

/// <summary>Kinds of the pieces of a text that should be JSON.</summary>
internal enum JsonPiece
{
    /// <summary>{ [ ] } : ,</summary>
    Punctuation,

    /// <summary>A string in double quotes, whole or cut off by the end of the text.</summary>
    String,

    /// <summary>Letters and digits: a number, true, or a word without its quotes.</summary>
    Word,

    /// <summary>A character that has no meaning in JSON: ' = #</summary>
    Other,
}

/// <summary>
/// Walks over a text that should be JSON but is not, piece by piece and without its grammar, to find out what the author meant.
/// </summary>
internal ref struct JsonScan(ReadOnlySpan<byte> utf8)
{
    private readonly ReadOnlySpan<byte> _utf8 = utf8;

    /// <summary>Start of the current piece; after the last piece, the length of the text.</summary>
    public int Start { get; private set; }

    /// <summary>End of the current piece.</summary>
    public int End { get; private set; }

    /// <summary>End of the piece before, whatever spaces and comments are between; -1 when there is none.</summary>
    public int PreviousEnd { get; private set; } = -1;

    /// <summary>Kind of the current piece.</summary>
    public JsonPiece Kind { get; private set; }

    /// <summary>The bytes of the current piece.</summary>
    public readonly ReadOnlySpan<byte> Bytes => _utf8[Start..End];

    /// <summary>Goes to the next piece; false at the end.</summary>
    public bool Next()
    {
        PreviousEnd = End > Start ? End : -1;
        Start = AfterSpaces(End);
        if (Start >= _utf8.Length)
        {
            End = Start;
            return false;
        }

        byte first = _utf8[Start];
        Kind = first == '"' ? JsonPiece.String : "{}[]:,"u8.Contains(first) ? JsonPiece.Punctuation
            : IsWord(first) ? JsonPiece.Word : JsonPiece.Other;
        End = Kind switch
        {
            JsonPiece.String => AfterString(Start),
            JsonPiece.Word => AfterWord(Start),
            _ => Start + 1,
        };
        return true;
    }

    private readonly int AfterSpaces(int at)
    {
        while (at < _utf8.Length)
        {
            ReadOnlySpan<byte> rest = _utf8[at..];
            if (" \t\r\n"u8.Contains(rest[0]))
            {
                at++;
            }
            else if (rest.StartsWith("//"u8))
            {
                int end = rest.IndexOf((byte)'\n');
                at = end < 0 ? _utf8.Length : at + end;
            }
            else if (rest.StartsWith("/*"u8))
            {
                int end = rest.IndexOf("*/"u8);
                at = end < 0 ? _utf8.Length : at + end + 2;
            }
            else
            {
                break;
            }
        }

        return at;
    }

    /// <summary>The position after the string's closing quote, or at the end of its line, since no string goes beyond its line.</summary>
    private readonly int AfterString(int at)
    {
        for (at++; at < _utf8.Length && _utf8[at] != '\n'; at++)
        {
            if (_utf8[at] == '"')
            {
                return at + 1;
            }

            at += _utf8[at] == '\\' && at + 1 < _utf8.Length && _utf8[at + 1] != '\n' ? 1 : 0;
        }

        return at;
    }

    private readonly int AfterWord(int at)
    {
        while (at < _utf8.Length && IsWord(_utf8[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsWord(byte letter) => char.IsAsciiLetterOrDigit((char)letter) || letter >= 0x80 || "_-+."u8.Contains(letter);
}
