using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>The answer of an app about its next run.</summary>
internal enum NextTimeKind
{
    /// <summary>An answer that cannot be understood.</summary>
    Useless,

    /// <summary>A time.</summary>
    At,

    /// <summary>The app wants no more runs.</summary>
    Never,
}

/// <summary>The last chunk of a manual-scheduler's answer: a Unix time in seconds, or nil; as JSON text or MessagePack.</summary>
internal readonly record struct NextTime(NextTimeKind Kind, DateTimeOffset At)
{
    /// <summary>The longest chunk that can be a time: a number with more digits than a double has is a mistake.</summary>
    public const int MaxBytes = 64;

    /// <summary>The end of the year 9999, s. A later time is a mistake, usually in milliseconds.</summary>
    private const double MaxSeconds = 253_402_300_799;

    /// <summary>
    /// Text is tried first. A MessagePack value that is also valid text is a single byte from 0x30 to 0x39: a time in the first minute of
    /// 1970 either way.
    /// </summary>
    public static NextTime Read(ReadOnlySpan<byte> chunk)
    {
        string text = Encoding.Latin1.GetString(chunk).Trim(' ', '\t', '\r', '\n');
        if (text == "null")
        {
            return new NextTime(NextTimeKind.Never, default);
        }

        const NumberStyles JsonNumber = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (double.TryParse(text, JsonNumber, CultureInfo.InvariantCulture, out double seconds))
        {
            return Of(seconds);
        }

        if (MsgPackToken.TryRead(chunk, out MsgPackToken token) != MsgPackStatus.Ok || token.HeadBytes != chunk.Length)
        {
            return default;
        }

        bool isNumber = token.IsInteger || token.Kind is MsgPackKind.Float32 or MsgPackKind.Float64;
        return token.Kind == MsgPackKind.Nil ? new NextTime(NextTimeKind.Never, default) : isNumber ? Of(token.AsDouble) : default;
    }

    /// <summary>
    /// To the tenth of a microsecond, as far as a double goes: at present times its steps are a quarter of a microsecond.
    /// </summary>
    private static NextTime Of(double seconds) => seconds is >= 0 and <= MaxSeconds
        ? new NextTime(NextTimeKind.At, DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond))) : default;
}
