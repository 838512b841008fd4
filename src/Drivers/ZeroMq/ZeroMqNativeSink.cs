using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The native-sink driver over ZeroMQ: PULL, groups of frames as in 2012. The sender of a bad group gets no answer: the group is logged and
/// counted.
/// </summary>
internal sealed class ZeroMqNativeSink(DriverContext context) : FeedDriver(context, SocketKind.Pull)
{
    public override void Open() => Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, HighWaterMark));

    protected override bool TryRun(FrameList message, ref int at)
    {
        while (at < message.Count)
        {
            if (!HasRoom)
            {
                return false;
            }

            NativeGroup group = NativeGroup.Read(Context.Engine.Loop, message, ref at);
            if (group.Problem is null)
            {
                Caller.TrySubmit(group.Body, group.Policy);
            }
            else if (group.IsLate)
            {
                Caller.Refuse(Core.Protocol.ErrorCodes.DeadlineError, group.Problem);
            }
            else
            {
                OnMalformed(group.Problem);
            }
        }

        return true;
    }
}
