using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-sink driver: PULL, every frame a job.</summary>
internal sealed class ZeroMqSink(DriverContext context) : FeedDriver(context, SocketKind.Pull)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-sink", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger], static context => new ZeroMqSink(context))
    {
        ZeroMqName = static _ => "zeromq-sink",
    };

    public override void Open() => Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, HighWaterMark));

    protected override bool TryRun(FrameList message, ref int at)
    {
        for (; at < message.Count; at++)
        {
            if (!HasRoom)
            {
                return false;
            }

            Caller.TrySubmit(message.PayloadAt(at));
        }

        return true;
    }
}
