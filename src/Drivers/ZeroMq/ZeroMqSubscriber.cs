using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The zeromq-subscriber driver: SUB, every message a job whose request is a MessagePack array of its frames.</summary>
internal sealed class ZeroMqSubscriber(DriverContext context) : FeedDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-subscriber",
        [
            ListeningKeys.Endpoint with { Meaning = "the endpoint that the task connects to, or binds" },
            new("topics", KeyKind.TextList, "the subscribed prefixes", "all") { AllowsEmpty = true, DefaultList = [""] },
            new("connect", KeyKind.Boolean, "connect to the endpoint, or bind it", "true"),
            ZeroMqKeys.Backlog,
        ],
        static context => new ZeroMqSubscriber(context))
    {
        ZeroMqName = static _ => "zeromq-subscriber",
        Connects = static values => values.GetValueOrDefault("connect") is not false,
    };

    private byte[] _request = new byte[1024];

    public override void Open()
    {
        IReadOnlyList<string> topics = Context.Task.GetList("topics");
        NetMQSocket Make()
        {
            SubscriberSocket socket = new();
            foreach (string topic in topics)
            {
                socket.Subscribe(topic);
            }

            return socket;
        }

        Socket.Open(new ZeroMqSocketOptions(
            Make, Context.Task.Endpoints, Context.Task.GetBool("connect"), HighWaterMark, LingerMs: 0));
    }

    protected override bool TryRun(FrameList message, ref int at)
    {
        if (!HasRoom)
        {
            return false;
        }

        long size = MsgPackEncoder.MaxHeadBytes;
        for (int i = 0; i < message.Count; i++)
        {
            size += MsgPackEncoder.MaxHeadBytes + message[i].Length;
        }

        if (size > Core.Protocol.ProtocolLimits.Default.MaxMessageBytes)
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
            ReadOnlySpan<byte> frame = message[i];
            length += MsgPackEncoder.WriteBinaryHead(to[length..], (uint)frame.Length);
            frame.CopyTo(to[length..]);
            length += frame.Length;
        }

        Caller.TrySubmit(to[..length]);
        return true;
    }
}
