using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Apps;

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

/// <summary>Listens to the pubsub socket of an app.</summary>
public static class FieldWatcher
{
    /// <summary>
    /// Published fields of an endpoint, without an end: when the publisher goes away, the method waits for it. Only topics (<c>source field
    /// …</c>) that begin with the prefix.
    /// </summary>
    /// <exception cref="NodeException">
    /// Nobody listens at the endpoint, the listener is no publisher of ZeroMQ, or the endpoint is invalid.
    /// </exception>
    public static async IAsyncEnumerable<PublishedField> WatchAsync(
        string endpoint, string prefix = "", [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using SubscriberClient client = await ConnectAsync(endpoint, prefix, cancellation).ConfigureAwait(false);
        await foreach ((string topic, byte[] value) in client.Messages.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            if (PublishedField.Read(topic, value) is { } field)
            {
                yield return field;
            }
        }
    }

    /// <summary>ZeroMQ itself waits in silence for a missing publisher, but people want an error.</summary>
    private static async Task<SubscriberClient> ConnectAsync(string endpoint, string prefix, CancellationToken cancellation)
    {
        try
        {
            IPEndPoint address = ZeroMqEndpoint.ToConnect(endpoint);
            string? type = await SocketTypeProbe.AskAsync(address, cancellation).ConfigureAwait(false);
            if (type is not ("PUB" or "XPUB" or SocketTypeProbe.NotSaid))
            {
                string found = type is null ? "nothing that speaks ZeroMQ" : $"a ZeroMQ socket of type {type}, which publishes nothing,";
                throw new NodeException(
                    $"{endpoint} does not speak ZeroMQ pubsub: {found} answers there. An app's pubsub endpoint does, 'pubsub.endpoint' in "
                    + "its manifest");
            }

            return new SubscriberClient(endpoint, prefix);
        }
        catch (Exception failure) when (failure is SocketException or IOException)
        {
            throw new NodeException($"cannot connect to {endpoint}: {failure.Message}", failure);
        }
    }
}
