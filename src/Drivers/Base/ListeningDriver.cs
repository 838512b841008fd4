using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>A driver that listens on TCP or Unix sockets, with its listeners and its connected clients.</summary>
internal abstract class ListeningDriver<TConnection> : Driver
    where TConnection : SocketConnection
{
    /// <summary>The most connections of one task: the usual limit of descriptors; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly HashSet<TConnection> _connections = [];

    protected ListeningDriver(DriverContext context)
    {
        Context = context;
        Listeners = new ServingListeners(context, Accept);
    }

    public DriverContext Context { get; }

    public override ServingListeners Listeners { get; }

    /// <summary>The connected clients.</summary>
    public IReadOnlyCollection<TConnection> Connections => _connections;

    public override IReadOnlyList<string> Endpoints => Listeners.Endpoints;

    public override void Open() => Listeners.Open();

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

            foreach (TConnection connection in other._connections)
            {
                Adopt(connection);
                _connections.Add(connection);
            }

            other._connections.Clear();
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
    public void Remove(TConnection connection) => _connections.Remove(connection);

    /// <summary>Clients of the previous version's driver would notice no difference.</summary>
    protected virtual bool ServesLike(ListeningDriver<TConnection> other) => other.GetType() == GetType();

    /// <summary>Takes over a client of the previous version.</summary>
    protected abstract void Adopt(TConnection connection);

    /// <summary>Makes the server of a client that has connected. The server does not watch its socket yet.</summary>
    protected abstract TConnection Connect(int descriptor);

    /// <summary>Starts to serve a client.</summary>
    protected abstract void Begin(TConnection connection);

    /// <summary>A client was turned away, because there are too many.</summary>
    protected virtual void OnTooMany()
    {
    }

    private void Accept(int descriptor)
    {
        TConnection connection = Connect(descriptor);
        if (_connections.Count >= MaxConnections)
        {
            ListeningLog.TooMany(Context.Log, Context.Engine.Name, Context.Task.Name, MaxConnections);
            OnTooMany();
            connection.Close("too many connections");
            return;
        }

        _connections.Add(connection);
        Begin(connection);
    }
}
