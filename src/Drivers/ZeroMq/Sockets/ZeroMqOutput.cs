using System.Numerics;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The outgoing messages of a socket: each goes to the connection of its peer, or is dropped as a whole.</summary>
/// <param name="peers">The peers that talk, by their identity.</param>
/// <param name="dropped">Called with the number of messages that were dropped so far, whenever it is a power of two.</param>
internal sealed class ZeroMqOutput(Dictionary<byte[], ZeroMqConnection> peers, Action<long>? dropped)
{
    private ZeroMqConnection? _peer; // gets the message that was begun

    /// <summary>Messages that were not sent: the peer is gone, or its high-water mark was reached.</summary>
    public long Dropped { get; private set; }

    /// <summary>
    /// Begins a message: the frames of its route and an empty one. False when the message cannot be sent: it is dropped, and the route
    /// records it.
    /// </summary>
    public bool TryBegin(Route route)
    {
        if (!peers.TryGetValue(route.Hops[0], out ZeroMqConnection? peer) || !peer.HasRoom())
        {
            route.Dropped++;
            CountDropped();
            return false;
        }

        _peer = peer;
        for (int i = 1; i < route.Hops.Length; i++)
        {
            Add(route.Hops[i], more: true);
        }

        Add(default(ReadOnlySpan<byte>), more: true);
        return true;
    }

    /// <summary>Adds a frame to the message that was begun.</summary>
    public void Add(scoped ReadOnlySpan<byte> frame, bool more) => Add(new Payload(frame), more);

    /// <summary>Adds a frame to the message that was begun.</summary>
    public void Add(scoped in Payload frame, bool more) => _peer!.Write(in frame, more);

    /// <summary>Sends a message of two frames to the peers that have subscribed to a prefix of the first.</summary>
    public void Publish(IReadOnlyCollection<ZeroMqConnection> to, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> text)
    {
        foreach (ZeroMqConnection peer in to)
        {
            if (peer.State != ConnectionState.Talking || !(peer.IsOld || peer.Topics!.Match(topic)))
            {
                continue;
            }

            if (peer.HasRoom())
            {
                peer.Write(new Payload(topic), more: true);
                peer.Write(new Payload(text), more: false);
            }
            else
            {
                CountDropped();
            }
        }
    }

    private void CountDropped()
    {
        if (BitOperations.IsPow2(++Dropped)) // a peer that never reads does not fill the log
        {
            dropped?.Invoke(Dropped);
        }
    }
}
