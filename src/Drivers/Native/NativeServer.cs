using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The native-server driver: the protocol of docs/protocol.md over TCP or a Unix socket.</summary>
internal class NativeServer(DriverContext context) : ListeningDriver<NativeConnection>(context)
{
    private readonly List<IPAddress> _addresses = []; // it listens on them; they stay when it stops taking

    public EventCatalog Events { get; } = new(context.Task.Name, context.Task.Events.Count > 0 ? context.Task.Events : [context.Task.Name]);

    public override TaskMonitor Monitor => Events.Monitor;

    public ProtocolLimits Limits { get; } = ProtocolLimits.Default;

    /// <summary>Messages that could not be understood.</summary>
    public long Malformed { get; set; }

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["connections"] = Connections.Count,
        ["malformed"] = Malformed,
    };

    public override void Open()
    {
        base.Open();
        _addresses.AddRange(Listeners.Select(listener => listener.Address).OfType<IPEndPoint>().Select(at => at.Address));
        Context.Siblings.Add(this);
    }

    public override void Close()
    {
        Context.Siblings.Remove(this);
        base.Close();
    }

    /// <summary>
    /// The events of the app's other native-servers that a client at this address of the node could as well call on their own ports: so
    /// one endpoint is enough for all events of an app, and a task that listens on fewer addresses is not opened to more.
    /// </summary>
    public EventCatalog[] EventsOfSiblingsAt(IPAddress? reached) => reached is null || !SharesEvents ? []
        : [.. Context.Siblings.Where(server => server != this && server.SharesEvents && server.ListensAt(reached)).Select(server => server.Events)];

    /// <summary>Its events can be called at its siblings' endpoints, and theirs at its own.</summary>
    public virtual bool SharesEvents => true;

    /// <summary>What serves a client that has connected.</summary>
    protected override NativeConnection Connect(int descriptor) => new(this, descriptor);

    protected override void Begin(NativeConnection connection) => connection.Open();

    private bool ListensAt(IPAddress reached) => _addresses.Exists(address => address.Equals(reached) || address.Equals(IPAddress.IPv6Any)
        || (address.Equals(IPAddress.Any) && reached.AddressFamily == AddressFamily.InterNetwork));
}

internal static partial class NativeLog
{
    [LoggerMessage(301, LogLevel.Warning, "{App}/{Task}: {Peer} sent what is no message and was disconnected: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(302, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Seconds} s and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, int seconds);
}
