using System.Net;
using System.Numerics;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// The service <c>node</c> over TCP, for commands on other hosts. Each client has a certificate, and does what rules let it do; a client
/// that no rule lets do anything is told so and closed. See docs/security.md.
/// </summary>
internal sealed class RemoteControl : IAsyncDisposable
{
    private const int Backlog = 64;

    /// <summary>The most connections of one address and in all: commands and watchers of a few people.</summary>
    private const int MaxOfOne = 32, MaxConnections = 64;

    /// <summary>The silence without a call after which a connection is closed, ms: a command asks and goes.</summary>
    private const int IdleMs = 60_000;

    /// <summary>Connections that wait for a call to be answered with a refusal: commands of a few people.</summary>
    private const int MaxTurnedAway = 8;

    private readonly EventLoop _loop;
    private readonly Task _ended; // completes with the node
    private readonly ILogger _log;
    private readonly Doorkeeper _keeper;
    private readonly ControlMethods _methods;
    private readonly SecuredDoor _secured;
    private readonly ConnectionSet<ControlConnection> _connections = new(new ConnectionCounts()); // only the loop uses it
    private readonly TurnedAway _turnedAway = new(MaxTurnedAway);                                 // only the loop uses it
    private IReadOnlyList<Listener> _listeners = [];                                              // only the loop uses it
    private long _refused;                                                                        // connections over a bound
    private int _disposed;                                                                        // 1 from the first DisposeAsync on

    private RemoteControl(CocaineNode node, TlsDoors tls, IControlHost host)
    {
        _loop = node.FirstLoop;
        _ended = node.Ended;
        _log = node.Log;
        _keeper = node.Doors.Keeper;
        _methods = new ControlMethods(node, host, _log);
        _secured = new SecuredDoor(_loop, tls, DoorTls.Mutual, "control.tcp", Take, DropRefused);
    }

    /// <summary>The endpoints that the service listens on.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>Begins to listen.</summary>
    /// <param name="node">The node to control, already started.</param>
    /// <param name="endpoint"><c>tcp://HOST:PORT</c>.</param>
    /// <param name="host">Creates, replaces and deletes apps.</param>
    /// <exception cref="NodeException">The endpoint cannot be used, or the node has no certificates.</exception>
    public static async Task<RemoteControl> OpenAsync(CocaineNode node, string endpoint, IControlHost host)
    {
        TlsDoors? tls = node.Doors.Certificates.Tls.Doors;
        if (tls?.Offers(DoorTls.Mutual) != true)
        {
            throw new NodeException("control.tcp: the node has no certificate, or no CA of clients: security.tls");
        }

        RemoteControl service = new(node, tls, host);
        try
        {
            await service._loop.RunAsync(() => service.Listen(endpoint));
            return service;
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            throw new NodeException($"control.tcp: {failure.Message}; choose another endpoint, or none", failure);
        }
    }

    /// <summary>Other rules hold: connections of callers that may do nothing any more end.</summary>
    public Task OnRulesChangedAsync() => _loop.RunAsync(() =>
    {
        foreach (ControlConnection connection in _connections.Where(static connection => !connection.TryStay()).ToArray())
        {
            connection.FlushAndClose("the caller is not known any more");
        }
    });

    /// <summary>Stops listening and ends the connections. Call this before the node is stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await Task.WhenAny(_loop.RunAsync(Close), _ended); // a loop that has ended runs no more work
        }
    }

    private void Listen(string endpoint)
    {
        _listeners = Listener.Bind(_loop, Endpoint.Parse(endpoint), Backlog, UnixFileMode.None, _secured.Accept, mayUseReserve: true);
        _secured.Open();
        foreach (Listener listener in _listeners)
        {
            listener.Open();
        }

        Endpoints = [.. _listeners.Select(listener => Endpoint.Describe(listener.Address))];
    }

    private void Close()
    {
        foreach (Listener listener in _listeners)
        {
            listener.Dispose();
        }

        _listeners = [];
        _secured.Close();
        foreach (ControlConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the node stops");
        }

        _turnedAway.Close("the node stops");
    }

    private void DropRefused()
    {
        foreach (ControlConnection connection in _connections.Where(static peer => peer.Certified?.Refusal is not null).ToArray())
        {
            _secured.TellRefused(connection);
            connection.Close("the client's certificate is refused by now");
        }
    }

    private void Take(SecuredPeer peer)
    {
        ControlConnection connection = new((_methods, _loop), _keeper, peer, Remove);
        IPAddress? address = SocketNames.Network(connection.Descriptor);
        bool isOfOne = _connections.Counts.Of(address) >= MaxOfOne;
        if (isOfOne || _connections.Count >= MaxConnections)
        {
            int most = isOfOne ? MaxOfOne : MaxConnections;
            if (BitOperations.IsPow2(++_refused))
            {
                ControlLog.TooManyRemote(_log, connection.PeerName, isOfOne ? "its address has" : "there are", most, _refused);
            }

            _turnedAway.Add(connection, ErrorCodes.ResourceError, "control.tcp has too many connections: end some watchers");
        }
        else if (!connection.Gate.Rights.MayEnter)
        {
            connection.Gate.Rights.MayControl("connect", null, out DoorRefusal refusal);
            _turnedAway.Add(connection, refusal.Code, refusal.Text);
        }
        else if (!connection.Gate.TryBegin(out DoorRefusal refusal))
        {
            _turnedAway.Add(connection, refusal.Code, refusal.Text);
        }
        else
        {
            _connections.Add(connection, address);
            connection.Begin(IdleMs);
        }
    }

    private void Remove(ControlConnection connection)
    {
        _connections.Remove(connection);
        _turnedAway.Remove(connection);
    }
}
