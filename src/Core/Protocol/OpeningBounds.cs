using System.Runtime.CompilerServices;
using System.Text;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The bounds of a message that opens a channel. Nobody has accepted a call yet, so such a message has a name, a tag and headers, and no
/// payload. A layout of an unfinished message is enough: a part is refused when its length is known, before its bytes come.
/// </summary>
internal static class OpeningBounds
{
    /// <summary>The name of an event or of a service: the longest that a worker is given.</summary>
    public const int MaxNameBytes = MessageWriter.MaxNameBytes;

    /// <summary>The tag: a name, or a small structure.</summary>
    public const int MaxTagBytes = 4 << 10;

    /// <summary>
    /// The whole message: the longest name, tag and headers fit three times. Up to here a message is read to its end when a part is too
    /// long, so that the connection's other channels go on; a longer message ends the connection.
    /// </summary>
    public const int MaxMessageBytes = ProtocolLimits.FramingBytes;

    /// <summary>The name of an event in bytes, for a message.</summary>
    /// <exception cref="FormatException">The name is too long.</exception>
    public static byte[] EncodeName(string name) => Encoding.UTF8.GetBytes(name) is { Length: <= MaxNameBytes } bytes ? bytes
        : throw new FormatException($"an event's name has at most {MaxNameBytes} bytes");

    /// <summary>No part is too long, as far as the message is here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Fits(in MessageLayout opening, int maxMessageBytes) =>
        opening.DataLength <= MaxNameBytes && opening.TotalBytes <= maxMessageBytes
        && (opening.ArgumentCount < 2 || TagBytes(in opening) <= MaxTagBytes);

    /// <summary>The text for a message that does not fit.</summary>
    public static string Problem(in MessageLayout opening, int maxMessageBytes)
    {
        if (opening.DataLength > MaxNameBytes)
        {
            return FormattableString.Invariant($"the name has {opening.DataLength} bytes, and a name has at most {MaxNameBytes}");
        }

        return opening.ArgumentCount > 1 && TagBytes(in opening) > MaxTagBytes
            ? FormattableString.Invariant($"the tag has more than {MaxTagBytes} bytes")
            : TooLong(maxMessageBytes);
    }

    /// <summary>The text for a message without payload that is too long as a whole.</summary>
    public static string TooLong(int maxMessageBytes) =>
        FormattableString.Invariant($"a message that is not of an accepted call has at most {maxMessageBytes} bytes");

    /// <summary>The bytes after the first argument. Of an unfinished message, those that are known to belong to it.</summary>
    private static int TagBytes(in MessageLayout opening)
    {
        int end = opening.ArgumentsLength > 0 ? opening.ArgumentsOffset + opening.ArgumentsLength : opening.TotalBytes;
        return end - opening.DataOffset - opening.DataLength;
    }
}
