using System.Numerics;
using System.Text;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The raw-server driver: plain bytes over TCP or Unix sockets, cut into jobs by the task's <c>framing</c>.</summary>
internal sealed class RawServer : ListeningDriver<RawConnection>
{
    private readonly Func<RawServer, int, RawConnection> _connect;
    private readonly byte[][] _methods; // the catalog of the server's one event

    /// <param name="context">The parts that the driver is made of.</param>
    /// <param name="connect">Makes the connection of a client from its descriptor.</param>
    public RawServer(DriverContext context, Func<RawServer, int, RawConnection> connect)
        : base(context)
    {
        _connect = connect;
        Method = Encoding.UTF8.GetBytes(context.Task.Name);
        _methods = [Method];
        Monitor = new TaskMonitor(context.Task.Name);
        Framing = context.Task.GetText("framing") switch
        {
            "line" => Framing.Line,
            "length32" => Framing.Length32,
            "none" => Framing.None,
            _ => Framing.Stream,
        };
        MaxFrameBytes = context.Task.GetInt("max-frame");
        IdleTimeoutMs = context.Task.GetLong("idle-timeout");
    }

    public byte[] Method { get; }

    public Framing Framing { get; }

    public int MaxFrameBytes { get; }

    /// <summary>Silence after which a connection is closed, ms; 0 = never.</summary>
    public long IdleTimeoutMs { get; }

    /// <summary>Buffers of answers that wait for their turn.</summary>
    public BlockPool Blocks => Context.Loop.Blocks;

    /// <summary>Answer objects that are not in use; as many as were in flight at the same time.</summary>
    public Stack<Answer> FreeAnswers { get; } = new();

    public RawCounters Counters { get; } = new();

    public override TaskMonitor Monitor { get; }

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["framing"] = Context.Task.GetText("framing"),
        ["connections"] = Connections.Count,
        ["accepted"] = Counters.Accepted,
        ["frames"] = Counters.Frames,
        ["refused"] = Counters.Refused,
        ["malformed"] = Monitor.Counts.Malformed,
        ["idle-closed"] = Counters.IdleClosed,
        ["stalled"] = Counters.Stalled,
        ["refused-connections"] = Door.RefusedConnections,
        ["refused-messages"] = Door.RefusedMessages,
        ["stalled-messages"] = Door.StalledMessages,
    };

    /// <summary>The peer may call the task, now.</summary>
    public bool Admits(CallGate gate, out DoorRefusal refusal)
    {
        bool admitted = gate.Admits(Guard, 0, Method, _methods, headers: null, out refusal);
        Counters.Refused += admitted ? 0 : 1;
        return admitted;
    }

    /// <summary>The engine did not take a request.</summary>
    public void OnRefused(RawConnection peer, string reason)
    {
        if (BitOperations.IsPow2(++Counters.Refused)) // a flood does not fill the log
        {
            RawLog.Refused(Context.Log, Context.Engine.Name, Context.Task.Name, peer.PeerName, reason, Counters.Refused);
        }
    }

    /// <summary>The bytes of a peer broke the framing.</summary>
    public void OnMalformed(RawConnection peer, string problem)
    {
        if (BitOperations.IsPow2(++Monitor.Counts.Malformed))
        {
            RawLog.Malformed(Context.Log, Context.Engine.Name, Context.Task.Name, peer.PeerName, problem, Monitor.Counts.Malformed);
        }
    }

    protected override bool ServesLike(ListeningDriver<RawConnection> other) => other is RawServer raw && raw.Framing == Framing;

    protected override void Adopt(RawConnection connection) => connection.HandOver(this);

    protected override RawConnection Connect(int descriptor) => _connect(this, descriptor);

    protected override void Begin(RawConnection connection)
    {
        Counters.Accepted++;
        connection.Begin();
    }

    protected override CallGate GateOf(RawConnection connection) => connection.Gate;

    protected override void TurnAway(RawConnection connection, int code, string problem)
    {
        Counters.Refused++;
        connection.FlushAndClose(problem);
    }
}

/// <summary>The counts of a raw-server since its start.</summary>
internal sealed class RawCounters
{
    /// <summary>Connections that were accepted.</summary>
    public long Accepted { get; set; }

    /// <summary>Requests that were given to the engine or refused by it.</summary>
    public long Frames { get; set; }

    /// <summary>Requests that the engine did not take, and connections over the limit.</summary>
    public long Refused { get; set; }

    public long IdleClosed { get; set; }

    /// <summary>Connections closed because their peer did not read its answers.</summary>
    public long Stalled { get; set; }
}

internal static partial class RawLog
{
    [LoggerMessage(311, LogLevel.Warning, "{App}/{Task}: {Peer} broke the framing: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(312, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Milliseconds} ms and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, long milliseconds);

    [LoggerMessage(313, LogLevel.Warning,
        "{App}/{Task}: no job for {Peer}: {Reason} ({Total} refused so far; queue-limit and pool-limit are the bounds)")]
    public static partial void Refused(ILogger log, string app, string task, string peer, string reason, long total);
}
