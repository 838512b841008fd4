using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The native-server driver: the protocol of docs/protocol.md over TCP or a Unix socket.</summary>
internal class NativeServer(DriverContext context) : ListeningDriver<NativeConnection>(context)
{
    private const int RemoteIdleMs = 600_000;

    /// <summary>Clients over a bound that wait for their call, to have it refused. One more is closed without words.</summary>
    private const int MaxTurnedAway = 64;

    private readonly List<IPAddress> _addresses = []; // addresses of the listeners; they stay when the driver stops taking
    private readonly TurnedAway _turnedAway = new(MaxTurnedAway);
    private readonly Siblings _siblings = context.Scope.Get(static () => new Siblings());

    public EventCatalog Events { get; } =
        new(context.Task.Name, context.Task.Events.Count > 0 ? context.Task.Events : [context.Task.Name])
        {
            PassesSecrets = context.Task.GetBool(TaskGuard.PassAuthorization.Name),
        };

    public override TaskMonitor Monitor => Events.Monitor;

    /// <summary>The sealed requests that the task takes.</summary>
    public SealMode Sealed { get; } = SealModes.Of(context.Task);

    /// <summary>The node's sealed jobs.</summary>
    public NodeSeals Seals { get; } = context.Scope.Get(static () => NodeSeals.None);

    /// <summary>The present load of the app on this loop.</summary>
    public LoadNews Load => new(
        Context.Engine.Forwarded.Load,
        Context.Engine.IsTaking && !Context.Engine.Pool.IsBroken && !Context.Engine.Scope.IsNodeDraining);

    public ProtocolLimits Limits { get; } = ProtocolLimits.Default;

    /// <summary>Calls that were refused because of their seal, or for the lack of one.</summary>
    public long SealsRefused { get; set; }

    /// <summary>Messages that could not be understood.</summary>
    public long Malformed { get => Monitor.Counts.Malformed; set => Monitor.Counts.Malformed = value; }

    /// <summary>Silence after which this connection is closed while it has no open channel, ms; 0 = never.</summary>
    public long IdleTimeoutMs(int descriptor) => Context.Task.Keys.TryGetValue(ListeningKeys.IdleTimeout.Name, out object? given)
        ? (long)given : UsualIdleMs(SocketNames.Remote(descriptor));

    /// <summary>
    /// The timeout when the manifest gives none. A peer on another host may be gone without a word, and its connection costs a descriptor.
    /// </summary>
    internal static long UsualIdleMs(IPAddress? peer) => peer is null || IPAddress.IsLoopback(peer) ? 0 : RemoteIdleMs;

    /// <summary>Clients can call the server's events at its siblings' endpoints, and the siblings' events at its own.</summary>
    public virtual bool SharesEvents => true;

    public override IReadOnlyDictionary<string, object> Facts => Door.AddTo(new Dictionary<string, object>
    {
        ["connections"] = Connections.Count,
        ["malformed"] = Malformed,
        ["held-bytes"] = Connections.Sum(connection => connection.HeldBytes),
        ["seals-refused"] = SealsRefused,
        ["seal-sessions"] = Seals.Gate?.Sessions ?? 0,
    });

    public override void Open()
    {
        Seals.Check(Sealed);
        base.Open();
        Join();
    }

    public override void TakeOver()
    {
        base.TakeOver();
        Join();
    }

    /// <summary>Another version takes over: events that only this version knows can no longer be called.</summary>
    public override void HandOff()
    {
        _siblings.Remove(this);
        base.HandOff();
    }

    public override void Close()
    {
        _siblings.Remove(this);
        base.Close();
        _turnedAway.Close("the app stops");
    }

    public override void Remove(NativeConnection connection)
    {
        _turnedAway.Remove(connection);
        base.Remove(connection);
    }

    /// <summary>
    /// Finds an event of the app's other native-servers, when the client that reached this address could also call it on that server's own
    /// port. So one endpoint is enough for all events of an app, and a task that listens on fewer addresses is not opened to more. Null
    /// when no server has the event.
    /// </summary>
    public byte[]? FindAtSiblings(ReadOnlySpan<byte> name, IPAddress reached, out NativeServer owner, out int index)
    {
        owner = this;
        index = -1;
        foreach (NativeServer sibling in _siblings)
        {
            if (sibling != this && SharesEvents && sibling.SharesEvents && sibling.Events.Find(name, out index) is { } known
                && sibling.ListensAt(reached))
            {
                owner = sibling;
                return known;
            }
        }

        return null;
    }

    /// <summary>The fault of a call that is sealed where no seals are taken, or the other way round.</summary>
    public SealFault CheckSeal(HeaderSet headers) => Sealed switch
    {
        SealMode.No => headers.HasSeal && !Events.PassesSecrets ? SealFault.NotTaken : SealFault.None,
        SealMode.Required => headers.HasSeal ? SealFault.None : SealFault.NotSealed,
        _ => SealFault.None,
    };

    /// <summary>The text for a caller that reached this address and called an event that is not served there.</summary>
    public string NoEvent(ReadOnlySpan<byte> name, IPAddress? reached)
    {
        List<string> here = [.. Events.Declared];
        foreach (NativeServer sibling in _siblings)
        {
            if (sibling != this && reached is not null && SharesEvents && sibling.SharesEvents && sibling.ListensAt(reached))
            {
                here.AddRange(sibling.Events.Declared);
            }
        }

        return UnknownEvent.Explain(name, here);
    }

    /// <summary>A client has held an answer for too long.</summary>
    public void OnHeldTooLong(string peer) =>
        NativeLog.Held(Context.Log, Context.Engine.Name, Context.Task.Name, peer, HeldAnswer.StallSeconds);

    protected override void Adopt(NativeConnection connection) => connection.HandOver(this);

    protected override NativeConnection Connect(int descriptor) => new(this, descriptor);

    protected override void Begin(NativeConnection connection) => connection.Begin();

    protected override CallGate GateOf(NativeConnection connection) => connection.Gate;

    protected override void TurnAway(NativeConnection connection, int code, string problem) => _turnedAway.Add(connection, code, problem);

    private void Join()
    {
        _addresses.Clear();
        _addresses.AddRange(Listeners.Addresses.OfType<IPEndPoint>().Select(at => at.Address));
        if (!_siblings.Contains(this))
        {
            _siblings.Add(this);
        }
    }

    private bool ListensAt(IPAddress reached)
    {
        foreach (IPAddress address in _addresses)
        {
            if (address.Equals(reached) || address.Equals(IPAddress.IPv6Any)
                || (address.Equals(IPAddress.Any) && reached.AddressFamily == AddressFamily.InterNetwork))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The native-servers of an app: each serves the events of the others as well.</summary>
    private sealed class Siblings : List<NativeServer>;
}

/// <summary>
/// A client of a native-server as a stranger: the channels that it has opened, the messages that it may send on them, and the ends that it
/// gets when it sends something else, or nothing.
/// </summary>
internal abstract class NativeDoor : DoorConnection
{
    private IPAddress? _reached;    // the local address that the client reached; looked up when it first asks for another task's event
    private bool _reachedKnown;
    private uint _unknown;          // calls of events that nobody serves here

    protected NativeDoor(NativeServer server, int descriptor)
        : base(server.Context.Loop, descriptor, server.Limits)
    {
        Server = server;
        Gate = new CallGate(this, server.Guard);
    }

    /// <summary>The server of this client. Changes when another version of the app takes over.</summary>
    internal NativeServer Server { get; private set; }

    internal override bool IsBusy => Channels.Count > 0;

    /// <summary>Decides about the client's calls.</summary>
    internal CallGate Gate { get; }

    /// <summary>The open channels.</summary>
    protected ChannelTable<Job> Channels { get; } = new();

    /// <summary>The newest channel, open or not.</summary>
    protected ulong HighestChannel { get; set; }

    internal override bool AwaitsMore => SendsInParts;

    /// <summary>The last message belongs to a request that is not whole, and the client may wait for its acknowledgement.</summary>
    protected bool SendsInParts { get; set; }

    /// <summary>The client has called an event that is served: its late messages may be long.</summary>
    protected bool HasCalled { get; set; }

    /// <summary>Starts to serve the client.</summary>
    public void Begin()
    {
        Open();
        CloseWhenIdle(Server.IdleTimeoutMs(Descriptor));
    }

    /// <summary>The driver of the next version takes over this client; the client's jobs stay where they are.</summary>
    public virtual void HandOver(NativeServer next)
    {
        Server = next;
        CloseWhenIdle(next.IdleTimeoutMs(Descriptor));
    }

    internal override void OnIdle()
    {
        Server.Door.IdleClosed++;
        base.OnIdle();
    }

    /// <summary>Answers a channel with an error of the node.</summary>
    protected abstract void Refuse(ulong channel, int code, string reason, in ErrorHeaders headers = default);

    /// <summary>Refuses a call of an event that nobody serves here. A caller without a right on the app does not learn that.</summary>
    protected void RefuseUnknown(ulong channel, ReadOnlySpan<byte> name, HeaderSet headers)
    {
        if (!Gate.MaySee("call", name, headers, out DoorRefusal denied))
        {
            Refuse(channel, denied.Code, denied.Text, denied.Headers);
            return;
        }

        Refuse(channel, ErrorCodes.NotFound,
            _unknown++ < UnknownEvent.MaxExplained ? Server.NoEvent(name, _reached) : UnknownEvent.Short);
    }

    /// <summary>Finds an event of another task of the app: see <see cref="NativeServer.FindAtSiblings"/>.</summary>
    protected byte[]? FindAtSiblings(ReadOnlySpan<byte> name, out NativeServer owner, out int index)
    {
        if (!_reachedKnown)
        {
            _reached = SocketNames.LocalTcp(Descriptor);
            _reachedKnown = true;
        }

        owner = Server;
        index = -1;
        return _reached is null ? null : Server.FindAtSiblings(name, _reached, out owner, out index);
    }

    protected override MessageRoom RoomOf(ulong channel) => Channels.TryGet(channel, out _) ? MessageRoom.Payload
        : channel > HighestChannel ? MessageRoom.Opening
        : HasCalled && channel != FlowControl.ClientControlChannel ? MessageRoom.Payload : MessageRoom.Short;

    protected override void OnOpeningRefused(ulong channel, string problem)
    {
        HighestChannel = channel;
        Server.Door.OnName(this, problem);
        Refuse(channel, ErrorCodes.TooLarge, problem);
    }

    protected override void OnUnfinished(ulong? channel, PartialFault fault)
    {
        Server.Door.OnUnfinished(this, fault);
        EndChannel(channel, PartialProblem.CodeOf(fault), PartialProblem.Of(fault));
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        Server.Malformed++;
        if (BitOperations.IsPow2(Server.Malformed)) // a peer that sends garbage for ever does not fill the log
        {
            DriverContext context = Server.Context;
            NativeLog.Malformed(context.Log, context.Engine.Name, context.Task.Name, PeerName, problem, Server.Malformed);
        }

        EndChannel(channel, code, problem);
    }

    /// <summary>The client has broken the protocol, perhaps on a channel that is known.</summary>
    private void EndChannel(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            ulong id = 0;
            if (Channels.Remove(known, out Job? job))
            {
                id = job.Id;
                job.Engine.Cancel(job, "the client broke the protocol"u8);
            }

            Refuse(known, code, problem, new ErrorHeaders { JobId = id });
        }
    }
}

internal static partial class NativeLog
{
    [LoggerMessage(301, LogLevel.Warning, "{App}/{Task}: {Peer} sent what is no message and was disconnected: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(302, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Seconds} s and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, int seconds);

    [LoggerMessage(304, LogLevel.Warning,
        "{App}/{Task}: {Peer} has held an answer for {Seconds} s and gets no more of it: its reader must go on or dispose of the call")]
    public static partial void Held(ILogger log, string app, string task, string peer, int seconds);
}
