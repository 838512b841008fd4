using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>A driver that listens on TCP or Unix sockets: its listeners, and the clients that are connected.</summary>
internal abstract class ListeningDriver<TConnection> : Driver
    where TConnection : SocketConnection
{
    /// <summary>Connections of one task: as many as descriptors are usual; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly HashSet<TConnection> _connections = [];

    protected ListeningDriver(DriverContext context)
    {
        Context = context;
        Listeners = new ServingListeners(context, Accept);
    }

    public DriverContext Context { get; }

    public override ServingListeners Listeners { get; }

    /// <summary>The clients that are connected.</summary>
    public IReadOnlyCollection<TConnection> Connections => _connections;

    public override IReadOnlyList<string> Endpoints => Listeners.Endpoints;

    public override void Open() => Listeners.Open();

    /// <summary>Takes over listeners, and the clients of the same task when they are served in the same way.</summary>
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

    /// <summary>Clients of the driver of the version before notice no difference.</summary>
    protected virtual bool ServesLike(ListeningDriver<TConnection> other) => other.GetType() == GetType();

    /// <summary>A client of the version before is this driver's now.</summary>
    protected abstract void Adopt(TConnection connection);

    /// <summary>Makes the server of a client that has connected; it does not watch its socket yet.</summary>
    protected abstract TConnection Connect(int descriptor);

    /// <summary>Starts to serve a client.</summary>
    protected abstract void Begin(TConnection connection);

    /// <summary>A client was turned away: there are too many.</summary>
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
