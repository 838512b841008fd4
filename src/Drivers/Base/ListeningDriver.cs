using System.Net;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>A driver that listens on TCP or Unix sockets, with its listeners and its connected clients.</summary>
internal abstract class ListeningDriver<TConnection> : Driver
    where TConnection : SocketConnection
{
    /// <summary>The most connections of one task: the usual limit of descriptors; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly ConnectionSet<TConnection> _connections;
    private readonly int _maxOfOne;
    private readonly DoorTls _tls;
    private readonly SecuredDoor? _secured; // null without TLS, and on a node without its files

    protected ListeningDriver(DriverContext context)
    {
        Context = context;
        _connections = new ConnectionSet<TConnection>(context.Scope.Get(static () => new TaskDoors()).Of(context.Task.Name));
        Door = new DoorCounters(context, this);
        Guard = new TaskGuard(context);
        _maxOfOne = context.Task.GetInt(ListeningKeys.Connections.Name);
        Listeners = new ServingListeners(context, Accept);
        _tls = TlsNeeds.Of(context.Task);
        if (_tls != DoorTls.Off && context.Scope.Get(static () => new NodeTls(null)).Doors is { } doors && doors.Offers(_tls))
        {
            _secured = new SecuredDoor(
                context.Loop, doors, _tls, Guard.Door, Take, DropRefused);
        }
    }

    public DriverContext Context { get; }

    /// <summary>The peers that were turned away.</summary>
    public DoorCounters Door { get; }

    /// <summary>The rights of the task's callers.</summary>
    public TaskGuard Guard { get; }

    public override ServingListeners Listeners { get; }

    /// <summary>The connected clients.</summary>
    public IReadOnlyCollection<TConnection> Connections => _connections;

    public override IReadOnlyList<string> Endpoints => Listeners.Endpoints;

    public override int? ConnectionCount => Connections.Count;

    public override bool Spreads => true;

    /// <exception cref="IOException">An endpoint cannot be bound, or the node cannot give the TLS of the task.</exception>
    public override void Open()
    {
        Guard.Check();
        if (_tls != DoorTls.Off && _secured is null)
        {
            throw new IOException($"tls is '{Context.Task.GetText(TlsNeeds.Key)}', and the node has no certificates for it: security.tls");
        }

        _secured?.Open();
        if (Context.Home is null)
        {
            Listeners.Open();
        }
    }

    /// <summary>Takes over listeners, and the clients of the same task when both drivers serve them in the same way.</summary>
    public override void TakeOver()
    {
        Listeners.TakeOver();
        foreach (ListeningDriver<TConnection> other in Context.Predecessors.OfType<ListeningDriver<TConnection>>())
        {
            if (other.Context.Task.Name != Context.Task.Name || other._tls != _tls || !ServesLike(other))
            {
                continue;
            }

            other._secured?.MoveTo(_secured!);
            other._connections.MoveTo(_connections, connection =>
            {
                Adopt(connection);
                GateOf(connection).Guard = Guard;
            });
        }
    }

    public override void StopTaking() => Listeners.Close();

    public override void Close()
    {
        StopTaking();
        _secured?.Close();
        foreach (TConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the app stops");
        }
    }

    public override void OnRulesChanged()
    {
        foreach (TConnection connection in _connections.Where(connection => !GateOf(connection).TryStay()).ToArray())
        {
            connection.FlushAndClose("the caller is not known any more");
        }
    }

    /// <summary>A connection has ended.</summary>
    public virtual void Remove(TConnection connection)
    {
        _connections.Remove(connection);
        GateOf(connection).End();
    }

    /// <summary>Clients of the previous version's driver would notice no difference.</summary>
    protected virtual bool ServesLike(ListeningDriver<TConnection> other) => other.GetType() == GetType();

    /// <summary>Takes over a client of the previous version.</summary>
    protected abstract void Adopt(TConnection connection);

    /// <summary>Makes the server of a client that has connected. The server does not watch its socket yet.</summary>
    protected abstract TConnection Connect(int descriptor);

    /// <summary>Starts to serve a client.</summary>
    protected abstract void Begin(TConnection connection);

    /// <summary>The gate of a client.</summary>
    protected abstract CallGate GateOf(TConnection connection);

    /// <summary>Turns a client away, because there are too many. Its connection, which is not among the others, ends by itself.</summary>
    protected abstract void TurnAway(TConnection connection, int code, string problem);

    private void Accept(int descriptor)
    {
        if (!Spreads || !Context.TryHand(Context.Task.Name, descriptor))
        {
            Take(descriptor);
        }
    }

    /// <summary>Serves an accepted connection. A connection over TCP gets its session first, when the task has TLS.</summary>
    public sealed override void Take(int descriptor)
    {
        if (_secured is null || SocketNames.LocalTcp(descriptor) is null)
        {
            Serve(Connect(descriptor));
        }
        else if (_connections.Counts.All >= MaxConnections || _connections.Counts.Of(SocketNames.Network(descriptor)) >= _maxOfOne)
        {
            TConnection connection = Connect(descriptor);
            connection.Close(CountRefusal(connection, SocketNames.Network(descriptor))!); // it would not understand a plain answer
        }
        else
        {
            _secured.Accept(descriptor);
        }
    }

    private void Take(SecuredPeer peer)
    {
        TConnection connection = Connect(peer.Descriptor);
        connection.Secure(peer.Session, peer.First.Span, peer.Peer);
        Serve(connection);
    }

    private void Serve(TConnection connection)
    {
        IPAddress? address = SocketNames.Network(connection.Descriptor);
        if (CountRefusal(connection, address) is { } problem)
        {
            TurnAway(connection, ErrorCodes.ResourceError, problem);
        }
        else if (!GateOf(connection).TryBegin(out DoorRefusal refusal))
        {
            TurnAway(connection, refusal.Code, refusal.Text);
        }
        else
        {
            _connections.Add(connection, address);
            Begin(connection);
        }
    }

    /// <summary>Counts a connection over a bound; null when there is room for it.</summary>
    private string? CountRefusal(TConnection connection, IPAddress? address)
    {
        if (_connections.Counts.All >= MaxConnections)
        {
            Door.OnTooManyInAll(MaxConnections);
            return "the task has too many connections";
        }

        if (_connections.Counts.Of(address) >= _maxOfOne)
        {
            Door.OnTooMany(connection, _maxOfOne);
            return "the client's address has too many connections";
        }

        return null;
    }

    /// <summary>The node has other CAs of clients, or another list of revoked certificates.</summary>
    private void DropRefused()
    {
        foreach (TConnection connection in _connections.Where(static connection => connection.Certified?.Refusal is not null).ToArray())
        {
            ListeningLog.Revoked(
                Context.Log, Context.Engine.Name, Context.Task.Name, connection.PeerName, connection.Certified!.Certificate.SerialHex,
                connection.Certified.Refusal!);
            _secured!.TellRefused(connection);
            connection.Close("the client's certificate is refused by now");
        }
    }
}
