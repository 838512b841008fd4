using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Bench.Load;

/// <summary>Counts of one writer: its thread, or its chain of continuations.</summary>
internal sealed class Tally
{
    private volatile bool _counts;
    private long _done;
    private long _ever;

    public LatencyHistogram Latency { get; } = new();

    /// <summary>Answers that were not the ones to their requests, ever.</summary>
    public long Wrong { get; set; }

    /// <summary>Answers while <see cref="Counts"/>.</summary>
    public long Done => Volatile.Read(ref _done);

    /// <summary>Answers since the begin, counted or not.</summary>
    public long Ever => Volatile.Read(ref _ever);

    public bool Counts
    {
        get => _counts;
        set => _counts = value;
    }

    public void Record(long nanoseconds)
    {
        Volatile.Write(ref _ever, _ever + 1);
        if (_counts)
        {
            Latency.Record(nanoseconds);
            Volatile.Write(ref _done, _done + 1);
        }
    }
}

/// <summary>A load of one protocol: keeps so many requests in flight from its start to its end.</summary>
internal abstract class Load
{
    /// <summary>Every writer's counts; complete once <see cref="StartAsync"/> is done.</summary>
    public List<Tally> Tallies { get; } = [];

    /// <summary>Connects and begins.</summary>
    public abstract Task StartAsync(LoadSpec spec);

    /// <summary>Ends every request and connection.</summary>
    public abstract Task StopAsync();

    public static Load Of(string protocol) => protocol switch
    {
        "native" => new NativeLoad(),
        "raw" => new RawLoad(),
        "grpc" => new GrpcLoad(),
        "netmq" => new NetMqLoad(),
        "nats" => new NatsLoad(),
        "blob" => new BlobLoad(),
        _ => throw new ArgumentException($"no load for {protocol}"),
    };
}
