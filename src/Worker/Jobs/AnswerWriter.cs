using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>Writes the messages of answers to the node, and knows how far the node is behind. Only for the loop's thread.</summary>
/// <param name="sink">Gets the messages.</param>
/// <param name="backlog">The number of bytes that wait for room in the sink.</param>
/// <param name="inbox">The calls of other threads, which go before those of the loop.</param>
internal sealed class AnswerWriter(MessageSink sink, Func<long> backlog, LoopInbox inbox)
{
    private TaskCompletionSource? _room;

    public bool HasRoom => backlog() < Limits.BehindBytes;

    /// <summary>
    /// A handler waited for room and there is room now: <see cref="Settle"/> lets the handler continue, so the loop must not park.
    /// </summary>
    public bool HasWaiterWithRoom => (_room is not null || inbox.IsSlow) && HasRoom;

    public void WriteChunk(ulong channel, ReadOnlySpan<byte> chunk)
    {
        if (inbox.HasCalls)
        {
            inbox.Run(); // first the chunks that the handler wrote from another thread before it came back here
        }

        MessageWriter.WriteChunk(sink, channel, new Payload(chunk), bin: true);
    }

    public void WriteError(ulong channel, int category, int code, string text) =>
        MessageWriter.WriteError(sink, channel, category, code, text);

    public void WriteClose(ulong channel) => MessageWriter.WriteClose(sink, channel);

    /// <summary>Ends when the node has made room.</summary>
    public Task WaitForRoomAsync() => (_room ??= new TaskCompletionSource()).Task;

    /// <summary>Lets waiting handlers continue when there is room.</summary>
    public void Settle()
    {
        bool hasRoom = HasRoom;
        if (_room is not null && hasRoom)
        {
            TaskCompletionSource room = _room;
            _room = null;
            room.SetResult();
        }

        inbox.Settle(hasRoom);
    }
}
