using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>Writes the messages of answers to the node, and knows how far the node is behind. Only for the loop's thread.</summary>
/// <param name="sink">Gets the messages.</param>
/// <param name="backlog">The number of bytes that wait for room in the sink.</param>
/// <param name="inbox">The calls of other threads, which go before those of the loop.</param>
/// <param name="onEnd">Called with each terminal message of a job that has begun.</param>
internal sealed class AnswerWriter(MessageSink sink, Func<long> backlog, LoopInbox inbox, Action onEnd)
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

    /// <summary>The terminal message of a job that has begun: an error.</summary>
    public void WriteError(ulong channel, int category, int code, string text)
    {
        onEnd();
        MessageWriter.WriteError(sink, channel, category, code, text);
    }

    /// <summary>The terminal message of a job that has begun.</summary>
    public void WriteClose(ulong channel)
    {
        onEnd();
        MessageWriter.WriteClose(sink, channel);
    }

    /// <summary>The terminal message of a job that never begins.</summary>
    public void Refuse(ulong channel, int code, string reason) =>
        MessageWriter.WriteError(sink, channel, ErrorCodes.Category, code, reason);

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
