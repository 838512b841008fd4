using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The native-server driver: the protocol of docs/protocol.md over TCP or a Unix socket.</summary>
internal class NativeServer : Driver
{
    /// <summary>Connections of one task: as many as descriptors are usual; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly HashSet<NativeConnection> _connections = [];

    public NativeServer(DriverContext context)
    {
        Context = context;
        Events = new EventCatalog(context.Task.Name, context.Task.Events.Count > 0 ? context.Task.Events : [context.Task.Name]);
        Listeners = new ServingListeners(context, Accept);
    }

    public DriverContext Context { get; }

    public EventCatalog Events { get; }

    public override ServingListeners Listeners { get; }

    public override TaskMonitor Monitor => Events.Monitor;

    public ProtocolLimits Limits { get; } = ProtocolLimits.Default;

    /// <summary>The clients that are connected.</summary>
    public IReadOnlyCollection<NativeConnection> Connections => _connections;

    /// <summary>Messages that could not be understood.</summary>
    public long Malformed { get; set; }

    public override IReadOnlyList<string> Endpoints => Listeners.Endpoints;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["connections"] = _connections.Count,
        ["malformed"] = Malformed,
    };

    public override void Open() => Listeners.Open();

    /// <summary>Takes over listeners, and the clients of the same task when they are served in the same way.</summary>
    public override void TakeOver()
    {
        Listeners.TakeOver();
        foreach (NativeServer other in Context.Predecessors.OfType<NativeServer>())
        {
            if (other.Context.Task.Name != Context.Task.Name || other.GetType() != GetType())
            {
                continue;
            }

            foreach (NativeConnection connection in other._connections)
            {
                connection.MoveTo(this);
                _connections.Add(connection);
            }

            other._connections.Clear();
        }
    }

    public override void StopTaking() => Listeners.Close();

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
