using System.Globalization;
using System.Text;

namespace Cocaine.Fast.Tools.Watch;

/// <summary>A field that an app published on its pubsub socket.</summary>
/// <param name="Source"><c>app:task</c>, or <c>app</c> for a field that the engine publishes about itself.</param>
/// <param name="Name">The field.</param>
/// <param name="Host">The machine that published the field.</param>
/// <param name="Time">The time at which it was published.</param>
/// <param name="Text">The field's value.</param>
public sealed record PublishedField(string Source, string Name, string Host, DateTimeOffset Time, string Text)
{
    /// <summary>Reads a topic and its value; null when they do not come from a pubsub socket of an app.</summary>
    internal static PublishedField? Read(string topic, ReadOnlySpan<byte> value)
    {
        string[] words = topic.Split(' ');
        return words.Length == 4 && double.TryParse(words[3], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double time)
            && time < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? new PublishedField(words[0], words[1], words[2], DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Round(time * 1000)),
                Encoding.UTF8.GetString(value))
            : null;
    }
}
