using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The raw-server driver: plain bytes over TCP or Unix sockets, cut into jobs as its <c>framing</c> says.</summary>
internal sealed class RawServer : Driver
{
    /// <summary>Connections of one task: as many as descriptors are usual; one more is closed at once.</summary>
    private const int MaxConnections = 65_536;

    private readonly HashSet<RawConnection> _connections = [];

    public RawServer(DriverContext context)
    {
        Context = context;
        Listeners = new ServingListeners(context, Accept);
        Method = Encoding.UTF8.GetBytes(context.Task.Name);
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

    public DriverContext Context { get; }

    public override ServingListeners Listeners { get; }

    public byte[] Method { get; }

    public Framing Framing { get; }

    public int MaxFrameBytes { get; }

    /// <summary>0 = never.</summary>
    public long IdleTimeoutMs { get; }

    /// <summary>Buffers of answers that wait for their turn.</summary>
    public BlockPool Blocks { get; } = new();

    /// <summary>Answers that are not in use; as many as were in flight at once.</summary>
    public Stack<Answer> FreeAnswers { get; } = new();

    public RawCounters Counters { get; } = new();

    public override TaskMonitor Monitor { get; }

    public override IReadOnlyList<string> Endpoints => Listeners.Endpoints;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["framing"] = Context.Task.GetText("framing"),
        ["connections"] = _connections.Count,
        ["accepted"] = Counters.Accepted,
        ["frames"] = Counters.Frames,
        ["refused"] = Counters.Refused,
        ["malformed"] = Counters.Malformed,
        ["idle-closed"] = Counters.IdleClosed,
        ["stalled"] = Counters.Stalled,
    };

    public override void Open() => Listeners.Open();

    /// <summary>Takes over listeners, and the peers of the same task when their bytes are cut in the same way.</summary>
    public override void TakeOver()
    {
        Listeners.TakeOver();
        foreach (RawServer other in Context.Predecessors.OfType<RawServer>())
        {
            if (other.Context.Task.Name != Context.Task.Name || other.Framing != Framing)
            {
                continue;
            }

            foreach (RawConnection connection in other._connections)
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
        foreach (RawConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the app stops");
        }
    }

    public void Remove(RawConnection connection) => _connections.Remove(connection);

    private void Accept(int descriptor)
    {
        RawConnection connection = Framing == Framing.Stream
            ? new StreamConnection(this, descriptor) : new FrameConnection(this, descriptor);
        if (_connections.Count >= MaxConnections)
        {
            RawLog.TooMany(Context.Log, Context.Engine.Name, Context.Task.Name, MaxConnections);
            Counters.Refused++;
            connection.Close("too many connections");
            return;
        }

        Counters.Accepted++;
        _connections.Add(connection);
        connection.Begin();
    }
}

/// <summary>How bytes are cut into jobs.</summary>
internal enum Framing
{
    /// <summary>A connection is a job.</summary>
    Stream,

    /// <summary>A line is a job.</summary>
    Line,

    /// <summary>A frame behind its big-endian length is a job.</summary>
    Length32,

    /// <summary>What one receive brings is a job.</summary>
    None,
}

/// <summary>What a raw-server has counted since its start.</summary>
internal sealed class RawCounters
{
    /// <summary>Connections taken.</summary>
    public long Accepted { get; set; }

    /// <summary>Requests that were given to the engine or refused by it.</summary>
    public long Frames { get; set; }

    /// <summary>Requests that the engine did not take, and connections over the limit.</summary>
    public long Refused { get; set; }

    /// <summary>Connections whose bytes broke the framing.</summary>
    public long Malformed { get; set; }

    public long IdleClosed { get; set; }

    /// <summary>Connections closed because their peer did not read its answers.</summary>
    public long Stalled { get; set; }
}

internal static partial class RawLog
{
    [LoggerMessage(310, LogLevel.Warning, "{App}/{Task}: a connection was refused: there are {Max} already")]
    public static partial void TooMany(ILogger log, string app, string task, int max);

    [LoggerMessage(311, LogLevel.Warning,
        "{App}/{Task}: {Peer} broke the framing and is disconnected: {Problem} ({Total} so far; max-frame in the manifest is the bound)")]
    public static partial void Malformed(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(312, LogLevel.Warning, "{App}/{Task}: {Peer} has not read its answers for {Milliseconds} ms and was disconnected")]
    public static partial void Stalled(ILogger log, string app, string task, string peer, long milliseconds);

    [LoggerMessage(313, LogLevel.Warning,
        "{App}/{Task}: no job for {Peer}: {Reason} ({Total} refused so far; queue-limit and pool-limit are the bounds)")]
    public static partial void Refused(ILogger log, string app, string task, string peer, string reason, long total);
}
