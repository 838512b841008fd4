using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Tools.Watch;

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
