using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers;

/// <summary>What drivers share that listen on TCP or Unix sockets: their listeners, and the clients that are connected.</summary>
internal abstract class ListeningDriver<TConnection>(DriverContext context) : Driver
    where TConnection : SocketConnection
{
    /// <summary>Connections of one task: as many as descriptors are usual; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly List<Listener> _listeners = [];
    private readonly HashSet<TConnection> _connections = [];

    public DriverContext Context { get; } = context;

    /// <summary>The clients that are connected.</summary>
    public IReadOnlyCollection<TConnection> Connections => _connections;

    public override IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    /// <summary>Where it listens; empty when it takes no more.</summary>
    protected IReadOnlyList<Listener> Listeners => _listeners;

    public override void Open()
    {
        try
        {
            foreach (string endpoint in Context.Task.Endpoints)
            {
                UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                _listeners.AddRange(Listener.Bind(Context.Loop, Endpoint.Parse(endpoint), Context.Task.Backlog, mode, Accept));
            }

            _listeners.ForEach(listener => listener.Open());
        }
        catch
        {
            StopTaking();
            throw;
        }
    }

    public override void StopTaking()
    {
        _listeners.ForEach(listener => listener.Dispose());
        _listeners.Clear();
    }

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

    /// <summary>What serves a client that has connected; it does not watch its socket yet.</summary>
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

internal static partial class ListeningLog
{
    [LoggerMessage(300, LogLevel.Warning, "{App}/{Task}: a connection was refused: there are {Max} already")]
    public static partial void TooMany(ILogger log, string app, string task, int max);
}
