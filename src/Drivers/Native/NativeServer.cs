using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The native-server driver: the protocol of docs/protocol.md over TCP or a Unix socket.</summary>
internal class NativeServer(DriverContext context) : Driver
{
    /// <summary>Connections of one task: as many as descriptors are usual; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly List<Listener> _listeners = [];
    private readonly HashSet<NativeConnection> _connections = [];

    public DriverContext Context { get; } = context;

    public EventCatalog Events { get; } = new(context.Task.Name, context.Task.Events.Count > 0 ? context.Task.Events : [context.Task.Name]);

    public override TaskMonitor Monitor => Events.Monitor;

    public ProtocolLimits Limits { get; } = ProtocolLimits.Default;

    /// <summary>The clients that are connected.</summary>
    public IReadOnlyCollection<NativeConnection> Connections => _connections;

    /// <summary>Messages that could not be understood.</summary>
    public long Malformed { get; set; }

    public override IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["connections"] = _connections.Count,
        ["malformed"] = Malformed,
    };

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
        foreach (NativeConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the app stops");
        }
    }

    public void Remove(NativeConnection connection) => _connections.Remove(connection);

    /// <summary>What serves a client that has connected.</summary>
    protected virtual NativeConnection Connect(int descriptor) => new(this, descriptor);

    private void Accept(int descriptor)
    {
        NativeConnection connection = Connect(descriptor);
        if (_connections.Count >= MaxConnections)
        {
            NativeLog.TooMany(Context.Log, Context.Engine.Name, Context.Task.Name, MaxConnections);
            connection.Close("too many connections");
            return;
        }

        _connections.Add(connection);
        connection.Open();
    }
}

internal static partial class NativeLog
{
    [LoggerMessage(300, LogLevel.Warning, "{App}/{Task}: a connection was refused: there are {Max} already")]
    public static partial void TooMany(ILogger log, string app, string task, int max);

    [LoggerMessage(301, LogLevel.Warning, "{App}/{Task}: {Peer} sent what is no message and was disconnected: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(302, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Seconds} s and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, int seconds);
}
