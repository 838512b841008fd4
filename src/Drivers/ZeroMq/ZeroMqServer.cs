using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The zeromq-server driver: [route…, "", body…], each body frame a job, and one reply for each message: [route…, "", …] with the
/// chunks of its jobs in the order of the bodies. A REQ takes exactly one reply, also behind a proxy: so the reply is sent when the last
/// job is done. With <c>"replies": "chunks"</c> each chunk is a message, which only a DEALER can take.
/// </summary>
internal sealed class ZeroMqServer(DriverContext context)
    : RouterDriver(context, context.Task.Name, context.Task.GetInt("linger"))
{
    private static readonly KeySpec Replies =
        new("replies", KeyKind.Text, "the messages of an answer: one for each request, or one for each chunk as it comes", "whole")
        {
            Choices = ["whole", Chunks],
        };

    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-server", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger, Replies, SealModes.Key],
        static context => new ZeroMqServer(context))
    {
        ZeroMqName = static _ => "zeromq-server",
        Check = static values => values.GetValueOrDefault(Replies.Name) is Chunks
            && values.GetValueOrDefault(SealModes.Key.Name) is not (null or "no")
            ? new KeyMistake(SealModes.Key.Name, "sealed answers are whole: 'replies' cannot be 'chunks'") : null,
    };

    private const string Chunks = "chunks";

    private readonly Stack<Exchange> _free = new();         // as many as there were messages at the same time
    private readonly Stack<ChunkReply> _freeChunks = new(); // the same
    private readonly bool _sendsChunks = context.Task.GetText(Replies.Name) == Chunks;

    public JsonFrames Frames { get; } = new();

    /// <summary>All bodies are sealed, or the task refuses those that are not.</summary>
    protected override bool ProvesItsCallers(FrameList message, int body)
    {
        bool proves = Sealed != SealMode.No;
        for (int i = body; proves && Sealed == SealMode.Accepted && i < message.Count; i++)
        {
            proves = SealedFrame.Is(message.PayloadAt(i));
        }

        return proves;
    }

    protected override void OnMessage(Route route, FrameList body)
    {
        for (int i = 0; _sendsChunks && i < body.Count; i++)
        {
            (_freeChunks.TryPop(out ChunkReply? reply) ? reply : new ChunkReply(this)).Run(route, Sender, body.PayloadAt(i), default);
        }

        if (_sendsChunks)
        {
            return;
        }

        if (!_free.TryPop(out Exchange? exchange))
        {
            exchange = new Exchange(this);
        }

        exchange.Run(route, body, Sender);
    }

    protected override void Refuse(Route route, ReadOnlySpan<byte> id, int code, string reason, in ErrorHeaders headers = default) =>
        WriteError(route, code, Encoding.UTF8.GetBytes(reason), in headers);

    /// <summary>Sends an error as a message of its own.</summary>
    public void WriteError(Route route, int code, ReadOnlySpan<byte> reason, in ErrorHeaders headers)
    {
        if (Socket.Output.TryBegin(route))
        {
            Socket.Output.Add(Frames.Error(default, code, reason, in headers), more: false);
        }
    }

    public void Free(Exchange exchange) => _free.Push(exchange);

    public void Free(ChunkReply reply) => _freeChunks.Push(reply);
}
