using System.Net;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>A driver that listens on TCP or Unix sockets, with its listeners and its connected clients.</summary>
internal abstract class ListeningDriver<TConnection> : Driver
    where TConnection : SocketConnection
{
    /// <summary>The most connections of one task: the usual limit of descriptors; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly ConnectionSet<TConnection> _connections;
    private readonly int _maxOfOne;

    protected ListeningDriver(DriverContext context)
    {
        Context = context;
        _connections = new ConnectionSet<TConnection>(context.Scope.Get(static () => new TaskDoors()).Of(context.Task.Name));
        Door = new DoorCounters(context);
        Guard = new TaskGuard(context);
        _maxOfOne = context.Task.GetInt(ListeningKeys.Connections.Name);
        Listeners = new ServingListeners(context, Accept);
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

    public override bool Spreads => true;

    public override void Open()
    {
        Guard.Check();
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
            if (other.Context.Task.Name != Context.Task.Name || !ServesLike(other))
            {
                continue;
            }

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
        foreach (TConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the app stops");
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Remove(TConnection connection)
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

    /// <summary>A client is turned away, because there are too many; the connection closes after this.</summary>
    protected virtual void OnTooMany(TConnection connection, string problem)
    {
    }

    private void Accept(int descriptor)
    {
        if (!Spreads || !Context.TryHand(Context.Task.Name, descriptor))
        {
            Take(descriptor);
        }
    }

    public sealed override void Take(int descriptor)
    {
        TConnection connection = Connect(descriptor);
        IPAddress? address = SocketNames.Network(descriptor);
        if (_connections.Counts.All >= MaxConnections)
        {
            Door.OnTooManyInAll(MaxConnections);
            Refuse(connection, "the task has too many connections");
        }
        else if (_connections.Counts.Of(address) >= _maxOfOne)
        {
            Door.OnTooMany(connection, _maxOfOne);
            Refuse(connection, "the client's address has too many connections");
        }
        else if (!GateOf(connection).TryBegin(out DoorRefusal refusal))
        {
            Refuse(connection, refusal.Text);
        }
        else
        {
            _connections.Add(connection, address);
            Begin(connection);
        }
    }

    private void Refuse(TConnection connection, string problem)
    {
        OnTooMany(connection, problem);
        connection.FlushAndClose(problem);
    }
}
