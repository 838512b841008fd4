using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-subscriber driver: SUB, every message a job whose request is a MessagePack array of its frames.</summary>
internal sealed class ZeroMqSubscriber(DriverContext context) : FeedDriver(context, SocketKind.Sub)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-subscriber",
        [
            ListeningKeys.Endpoint with { Meaning = "the endpoint that the task connects to, or binds" },
            new("topics", KeyKind.TextList, "the subscribed prefixes", "all") { AllowsEmpty = true, DefaultList = [""] },
            new("connect", KeyKind.Boolean, "connect to the endpoint, or bind it", "true"),
            ZeroMqKeys.Backlog,
            ManifestKeys.RunOn("all"),
        ],
        static context => new ZeroMqSubscriber(context))
    {
        ZeroMqName = static _ => "zeromq-subscriber",
        Connects = static values => values.GetValueOrDefault("connect") is not false,
    };

    private byte[] _request = new byte[1024];

    public override void Open() => Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, HighWaterMark)
    {
        Connects = Context.Task.GetBool("connect"),
        Topics = Context.Task.GetList("topics"),
    });

    protected override bool TryRun(FrameList message, ref int at)
    {
        if (Context.IsElsewhere)
        {
            return true; // another node of the cluster gets the message too, and makes the job
        }

        if (!HasRoom)
        {
            return false;
        }

        long size = MsgPackEncoder.MaxHeadBytes;
        for (int i = 0; i < message.Count; i++)
        {
            size += MsgPackEncoder.MaxHeadBytes + message.LengthAt(i);
        }

        if (size > ProtocolLimits.Default.MaxMessageBytes)
        {
            OnMalformed("a message over the size limit");
            return true;
        }

        if (_request.Length < size)
        {
            _request = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)size)];
        }

        Span<byte> to = _request;
        int length = MsgPackEncoder.WriteArrayHead(to, (uint)message.Count);
        for (int i = 0; i < message.Count; i++)
        {
            Payload frame = message.PayloadAt(i);
            length += MsgPackEncoder.WriteBinaryHead(to[length..], (uint)frame.Length);
            frame.CopyTo(to[length..]);
            length += frame.Length;
        }

        Caller.TrySubmit(new Payload(to[..length]));
        return true;
    }
}
