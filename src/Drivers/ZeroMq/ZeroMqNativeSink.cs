using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The native-sink driver over ZeroMQ: PULL, groups of frames as in 2012. The sender of a bad group gets no answer: the group is logged and
/// counted.
/// </summary>
internal sealed class ZeroMqNativeSink : FeedDriver
{
    private readonly SealedFeed _sealed;

    public ZeroMqNativeSink(DriverContext context)
        : base(context, SocketKind.Pull) => _sealed = new SealedFeed(this, context);

    public override IReadOnlyDictionary<string, object> Facts =>
        new Dictionary<string, object>(base.Facts) { ["seals-refused"] = _sealed.Refused };

    public override void Open()
    {
        _sealed.Check();
        Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, HighWaterMark));
    }

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
                Run(in group);
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

    /// <summary>Each body says itself whether it is sealed, and is judged with its job.</summary>
    protected override bool ProvesItsCallers(FrameList message) => _sealed.Mode != SealMode.No;

    private void Run(in NativeGroup group)
    {
        if (_sealed.Judges(group.Body))
        {
            if (SealedBody.TryTie(group.Policy, out SealPolicy wishes))
            {
                _sealed.Take(Sender, group.Body, group.Policy, in wishes);
            }
            else
            {
                OnMalformed(SealedBody.HasDeadline);
            }
        }
        else if (_sealed.Mode == SealMode.No || Admits(Sender))
        {
            Caller.TrySubmit(group.Body, group.Policy);
        }
    }
}
