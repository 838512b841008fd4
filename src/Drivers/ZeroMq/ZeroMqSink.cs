using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using NetMQ.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-sink driver: PULL, every frame a job.</summary>
internal sealed class ZeroMqSink(DriverContext context) : FeedDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-sink", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger], static context => new ZeroMqSink(context))
    {
        ZeroMqName = static _ => "zeromq-sink",
    };

    public override void Open() => Socket.Open(new ZeroMqSocketOptions(
        () => new PullSocket(), Context.Task.Endpoints, Connects: false, HighWaterMark, Context.Task.GetInt("linger")));

    protected override bool TryRun(FrameList message, ref int at)
    {
        for (; at < message.Count; at++)
        {
            if (!HasRoom)
            {
                return false;
            }

            Caller.TrySubmit(message[at]);
        }

        return true;
    }
}
