using System.Net;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The native-server driver: the protocol of docs/protocol.md over TCP or a Unix socket.</summary>
internal class NativeServer : ListeningDriver<NativeConnection>
{
    public NativeServer(DriverContext context)
        : base(context) =>
        Events = new EventCatalog(context.Task.Name, context.Task.Events.Count > 0 ? context.Task.Events : [context.Task.Name]);

    public EventCatalog Events { get; }

    public override TaskMonitor Monitor => Events.Monitor;

    public ProtocolLimits Limits { get; } = ProtocolLimits.Default;

    /// <summary>Messages that could not be understood.</summary>
    public long Malformed { get; set; }

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["connections"] = Connections.Count,
        ["malformed"] = Malformed,
    };

    /// <summary>Its events can be called at its siblings' endpoints, and theirs at its own.</summary>
    protected virtual bool SharesEvents => true;

    public override void Open()
    {
        base.Open();
        Context.Siblings.Add(this);
    }

    public override void HandOff()
    {
        Context.Siblings.Remove(this);
        base.HandOff();
    }

    public override void Close()
    {
        Context.Siblings.Remove(this);
        base.Close();
    }

    /// <summary>
    /// The event with this name, and whose it is. Also those of the app's other native-servers that a client at this address of the node
    /// could call on their own ports: so one endpoint is enough for all events of an app, and a task that listens on fewer addresses is not
    /// opened to more.
    /// </summary>
    public byte[]? Find(ReadOnlySpan<byte> name, IPAddress? reached, out EventCatalog events)
    {
        events = Events;
        byte[]? known = Events.Find(name);
        if (known is not null || reached is null || !SharesEvents)
        {
            return known;
        }

        foreach (NativeServer sibling in Context.Siblings)
        {
            if (sibling != this && sibling.SharesEvents && sibling.Listeners.ListenAt(reached) && sibling.Events.Find(name) is { } its)
            {
                events = sibling.Events;
                return its;
            }
        }

        return null;
    }

    protected override NativeConnection Connect(int descriptor) => new(this, descriptor);

    protected override void Begin(NativeConnection connection) => connection.Open();

    protected override bool ServesLike(ListeningDriver<NativeConnection> other) => other.GetType() == GetType();

    protected override void Adopt(NativeConnection connection) => connection.MoveTo(this);
}

internal static partial class NativeLog
{
    [LoggerMessage(301, LogLevel.Warning, "{App}/{Task}: {Peer} sent what is no message and was disconnected: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(302, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Seconds} s and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, int seconds);
}
