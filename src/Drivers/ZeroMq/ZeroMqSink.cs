using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-sink driver: PULL, every frame a job.</summary>
internal sealed class ZeroMqSink(DriverContext context) : FeedDriver(context, SocketKind.Pull)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-sink", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger, SealModes.Key],
        static context => new ZeroMqSink(context))
    {
        ZeroMqName = static _ => "zeromq-sink",
    };

    private readonly SealMode _sealed = SealModes.Of(context.Task);
    private readonly NodeSeals _seals = context.Scope.Get(static () => NodeSeals.None);
    private readonly Stack<SealedJob> _free = new(); // as many as sessions were opened at the same time, and one

    public override IReadOnlyDictionary<string, object> Facts =>
        new Dictionary<string, object>(base.Facts) { ["seals-refused"] = SealsRefused };

    private long SealsRefused { get; set; }

    public override void Open()
    {
        _seals.Check(_sealed);
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
            if (_sealed != SealMode.No && SealedFrame.Is(in frame))
            {
                (_free.TryPop(out SealedJob? job) ? job : new SealedJob(this)).Open(Sender, in frame);
            }
            else if (_sealed == SealMode.Required)
            {
                Refuse(Sender, SealFault.NotSealed);
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
        bool proves = _sealed != SealMode.No;
        for (int i = 0; proves && _sealed == SealMode.Accepted && i < message.Count; i++)
        {
            proves = SealedFrame.Is(message.PayloadAt(i));
        }

        return proves;
    }

    /// <summary>The frame is dropped, because this kind of socket has no answers.</summary>
    private void Refuse(ZeroMqConnection peer, SealFault fault)
    {
        SealsRefused++;
        DenySeal(peer, fault);
    }

    /// <summary>A sealed frame, until its job is made or refused.</summary>
    private sealed class SealedJob
    {
        private readonly ZeroMqSink _sink;
        private readonly SealedBody _body;
        private readonly SealedText _onText;
        private ZeroMqConnection _peer = null!; // valid while the frame is opened

        public SealedJob(ZeroMqSink sink)
        {
            _sink = sink;
            _body = new SealedBody(
                sink.Context.Loop, sink.Context.Engine.Name, Encoding.UTF8.GetBytes(sink.Context.Task.Name));
            _onText = OnText;
        }

        public void Open(ZeroMqConnection peer, in Payload frame)
        {
            _peer = peer;
            _body.Open(in frame, default, _sink._seals.Worker, _onText);
        }

        private void OnText(SealFault fault, ReadOnlySpan<byte> text)
        {
            if (fault != SealFault.None)
            {
                _sink.Refuse(_peer, fault);
            }
            else if (_sink.AdmitsSealed(_peer, _body.KeyName))
            {
                _sink.Caller.TrySubmit(text);
            }

            _peer = null!;
            _sink._free.Push(this);
        }
    }
}
