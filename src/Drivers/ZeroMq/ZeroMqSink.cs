using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-sink driver: PULL, every frame a job.</summary>
internal sealed class ZeroMqSink : FeedDriver
{
    private readonly SealedFeed _sealed;

    public ZeroMqSink(DriverContext context)
        : base(context, SocketKind.Pull) => _sealed = new SealedFeed(this, context);

    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-sink", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger, SealModes.Key],
        static context => new ZeroMqSink(context))
    {
        ZeroMqName = static _ => "zeromq-sink",
    };

    public override IReadOnlyDictionary<string, object> Facts =>
        new Dictionary<string, object>(base.Facts) { ["seals-refused"] = _sealed.Refused };

    public override void Open()
    {
        _sealed.Check();
        Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, HighWaterMark));
    }

    protected override bool TryRun(FrameList message, ref int at)
    {
        for (; at < message.Count; at++)
        {
            if (!HasRoom)
            {
                return false;
            }

            Payload frame = message.PayloadAt(at);
            if (_sealed.Judges(in frame))
            {
                _sealed.Take(Sender, in frame, default, default);
            }
            else
            {
                Caller.TrySubmit(in frame);
            }
        }

        return true;
    }

    /// <summary>All frames are sealed, or the task refuses those that are not.</summary>
    protected override bool ProvesItsCallers(FrameList message)
    {
        bool proves = _sealed.Mode != SealMode.No;
        for (int i = 0; proves && i < message.Count; i++)
        {
            proves = _sealed.Judges(message.PayloadAt(i));
        }

        return proves;
    }
}
