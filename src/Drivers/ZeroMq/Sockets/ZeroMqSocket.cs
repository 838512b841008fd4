using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// Handles a message. False when there is no room: the peer is read no further until <see cref="SocketConnection.ResumeNow"/>.
/// </summary>
internal delegate bool MessageHandler(ZeroMqConnection peer, FrameList message);

/// <summary>A ZeroMQ socket, ROUTER, PULL, PUB or SUB: its endpoints and the connections of its peers. Lives on a loop.</summary>
/// <param name="loop">The loop.</param>
/// <param name="kind">The type of the socket.</param>
/// <param name="name">The name of the socket, for the log.</param>
/// <param name="log">Gets the peers that are refused.</param>
/// <param name="closing">Hears of the time that the last messages take.</param>
/// <param name="received">Handles the messages; null for a socket that only sends.</param>
/// <param name="dropped">Called with the number of messages that were dropped so far, whenever it is a power of two.</param>
internal sealed class ZeroMqSocket(
    EventLoop loop, SocketKind kind, string name, ILogger log, ClosingSockets closing, MessageHandler? received, Action<long>? dropped)
    : IConnectionOwner
{
    /// <summary>
    /// The least time that messages get when a socket closes right after sending them, so that the answers of a drain reach peers that
    /// read.
    /// </summary>
    private const int MinLingerMs = 1000;

    /// <summary>The most connections of a socket: the usual limit of descriptors; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    /// <summary>The most connections of one address: as many as other doors allow when their manifest says nothing.</summary>
    private const int MaxOfOneAddress = 1024;

    /// <summary>Connections that may wait to be accepted.</summary>
    private const int AcceptBacklog = 1024;

    private readonly ConnectionSet<ZeroMqConnection> _connections = new(new ConnectionCounts());
    private readonly Dictionary<byte[], ZeroMqConnection> _peers = new(ByteComparer.Instance); // those of a ROUTER that talk
    private readonly List<Listener> _listeners = [];
    private readonly List<OutgoingConnection> _outgoing = [];
    private readonly UnsentBytes _unsent = new();
    private ZeroMqSocketOptions _options = null!; // set by Open
    private byte[][] _topics = [];                // a SUB socket's own
    private ZeroMqOutput? _output;
    private ulong _lastIdentity;
    private bool _isClosed;
    private bool _hasEnded;                       // the last connection of the closed socket is gone

    /// <summary>The endpoints that the socket listens on, as peers write them; empty when it connects.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>The outgoing messages.</summary>
    public ZeroMqOutput Output => _output ??= new ZeroMqOutput(_peers, dropped);

    /// <summary>Peers that were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>The connections.</summary>
    public IReadOnlyCollection<ZeroMqConnection> Connections => _connections;

    /// <inheritdoc/>
    public SocketKind Kind => kind;

    /// <summary>Binds or connects; on the loop. When the method throws, nothing stays open.</summary>
    /// <exception cref="IOException">An endpoint cannot be used.</exception>
    public void Open(ZeroMqSocketOptions options)
    {
        _options = options;
        _topics = [.. options.Topics.Select(Encoding.UTF8.GetBytes)];
        try
        {
            foreach (string endpoint in options.Endpoints)
            {
                if (options.Connects)
                {
                    _outgoing.Add(new OutgoingConnection(loop, ZeroMqEndpoint.ToConnect(endpoint), name, log, Connected));
                }
                else
                {
                    _listeners.AddRange(Listener.Bind(
                        loop, ZeroMqEndpoint.Parse(endpoint), AcceptBacklog, UnixFileMode.None, Accept));
                }
            }

            _listeners.ForEach(listener => listener.Open());
        }
        catch
        {
            StopConnecting();
            throw;
        }

        _outgoing.ForEach(outgoing => outgoing.Begin());
        Endpoints = [.. _listeners.Select(listener => Endpoint.Describe(listener.Address))];
        foreach (Listener open in _listeners.FindAll(listener => !listener.IsOnThisHost))
        {
            ZeroMqLog.OpenToOthers(log, name, Endpoint.Describe(open.Address));
        }
    }

    /// <summary>Stops listening, sends the written messages and closes; on the loop.</summary>
    public void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        StopConnecting();
        closing.Add();
        foreach (ZeroMqConnection peer in _connections.ToArray())
        {
            if (kind is SocketKind.Pull or SocketKind.Sub)
            {
                peer.Close("the socket is closed"); // nothing is left to send
            }
            else
            {
                peer.Linger(Math.Max(MinLingerMs, _options.LingerMs));
            }
        }

        EndWhenClosed();
    }

    /// <inheritdoc/>
    public string? OnReady(ZeroMqConnection peer)
    {
        foreach (byte[] topic in _topics)
        {
            if (!peer.IsOld)
            {
                peer.Subscribe(topic); // a publisher of ZMTP 1.0 knows no subscriptions, and sends everything
            }
        }

        _outgoing.Find(outgoing => outgoing.Connection == peer)?.OnReady();
        if (kind == SocketKind.Router)
        {
            TakeIn(peer);
        }

        return null;
    }

    /// <inheritdoc/>
    public bool OnMessage(ZeroMqConnection peer, FrameList message)
    {
        if (kind == SocketKind.Pub)
        {
            // subscription = %x01 topic; cancel = %x00 topic; everything else has no meaning for a PUB
            if (message is { Count: 1 } && message[0] is [<= 1 and var first, .. var topic]
                && peer.Topics!.Change(topic, first == 1) is { } problem)
            {
                OnRefused(peer, problem);
                peer.Close(problem);
            }

            return true;
        }

        if (kind == SocketKind.Sub && !IsSubscribed(message[0]))
        {
            return true; // a publisher of ZMTP 1.0 leaves the choice to its peers
        }

        // A peer with ZMQ_PROBE_ROUTER begins with an empty message, which is no request.
        bool isProbe = kind == SocketKind.Router && peer.Received == 0 && message.Count == 1 && message.LengthAt(0) == 0;
        if (isProbe || received!(peer, message))
        {
            peer.Received++;
            return true;
        }

        peer.PauseReading();
        return false;
    }

    /// <inheritdoc/>
    public void OnRefused(ZeroMqConnection peer, string problem)
    {
        if (BitOperations.IsPow2(++Refused)) // a flood does not fill the log
        {
            ZeroMqLog.Refused(log, name, peer.PeerName, problem, Refused);
        }
    }

    /// <inheritdoc/>
    public void OnClosed(ZeroMqConnection peer)
    {
        _connections.Remove(peer);
        if (_peers.TryGetValue(peer.Identity, out ZeroMqConnection? known) && known == peer)
        {
            _peers.Remove(peer.Identity);
        }

        _outgoing.Find(outgoing => outgoing.Connection == peer)?.OnLost();
        EndWhenClosed();
    }

    /// <summary>
    /// Gives the peer its place. A peer whose identity is in use takes it over, because it has lost its connection and this end does not
    /// know it yet.
    /// </summary>
    private void TakeIn(ZeroMqConnection peer)
    {
        if (peer.Identity.Length == 0)
        {
            peer.Identity = new byte[1 + sizeof(ulong)]; // begins with a zero, like no identity that a peer may choose
            BinaryPrimitives.WriteUInt64BigEndian(peer.Identity.AsSpan(1), ++_lastIdentity);
        }
        else if (_peers.TryGetValue(peer.Identity, out ZeroMqConnection? before))
        {
            before.Close("another connection has its identity");
        }

        _peers[peer.Identity] = peer;
    }

    private bool IsSubscribed(ReadOnlySpan<byte> first)
    {
        foreach (byte[] topic in _topics)
        {
            if (first.StartsWith(topic))
            {
                return true;
            }
        }

        return false;
    }

    private ZeroMqConnection Connected(int descriptor)
    {
        ZeroMqConnection peer = Make(descriptor);
        _connections.Add(peer, null);
        peer.Begin();
        return peer;
    }

    private void Accept(int descriptor)
    {
        ZeroMqConnection peer = Make(descriptor);
        IPAddress? address = SocketNames.Network(descriptor);
        string? problem = _connections.Counts.All >= MaxConnections ? $"there are {MaxConnections} connections"
            : _connections.Counts.Of(address) >= MaxOfOneAddress ? $"its address has {MaxOfOneAddress} connections" : null;
        if (problem is null)
        {
            _connections.Add(peer, address);
            peer.Begin();
        }
        else
        {
            OnRefused(peer, problem);
            peer.Close(problem);
        }
    }

    private ZeroMqConnection Make(int descriptor)
    {
        UnsentMessages unsent = new(_unsent, _options.HighWaterMark);
        return new ZeroMqConnection(this, loop, descriptor, unsent) { Topics = kind == SocketKind.Pub ? new Topics() : null };
    }

    private void StopConnecting()
    {
        _listeners.ForEach(listener => listener.Dispose());
        _listeners.Clear();
        _outgoing.ForEach(outgoing => outgoing.Stop());
    }

    private void EndWhenClosed()
    {
        if (_isClosed && !_hasEnded && _connections.Count == 0)
        {
            _hasEnded = true;
            closing.Remove();
        }
    }
}
