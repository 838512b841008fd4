using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>Writes the messages of answers to the node, and knows how far the node is behind. Only for the loop's thread.</summary>
/// <param name="sink">Gets the messages.</param>
/// <param name="backlog">The number of bytes that wait for room in the sink.</param>
/// <param name="inbox">The calls of other threads, which go before those of the loop.</param>
/// <param name="ready">Gets the handlers that waited for room.</param>
/// <param name="onEnd">Called with each terminal message of a job that has begun.</param>
internal sealed class AnswerWriter(
    MessageSink sink, Func<long> backlog, LoopInbox inbox, ReadyHandlers ready, Action onEnd)
{
    private readonly List<IHandlerWait> _room = []; // handlers that wait for room
    private long _written;                          // bytes written since the loop last took the node's messages

    public bool HasRoom => backlog() < Limits.BehindBytes;

    /// <summary>
    /// A handler waited for room and there is room now: <see cref="Settle"/> lets the handler continue, so the loop must not park.
    /// </summary>
    public bool HasWaiterWithRoom => (_room.Count > 0 || inbox.IsSlow) && HasRoom;

    /// <summary>So much was written that a handler has to look whether the node still wants it.</summary>
    public bool MustLook => _written > Limits.LookBytes;

    /// <summary>The loop has taken the node's messages.</summary>
    public void OnLooked() => _written = 0;

    public void WriteChunk(ulong channel, ReadOnlySpan<byte> chunk)
    {
        if (inbox.HasCalls)
        {
            inbox.Run(); // first the chunks that the handler wrote from another thread before it came back here
        }

        _written += chunk.Length;
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

    /// <summary>Asks the node to hold the request of a channel, or to go on.</summary>
    public void WriteFlow(ulong channel, bool hold) => MessageWriter.WriteFlow(sink, MessageWriter.ControlChannel, channel, hold);

    /// <summary>A handler waits for room.</summary>
    public void WatchRoom(IHandlerWait wait) => _room.Add(wait);

    /// <summary>Makes waiting handlers ready when there is room.</summary>
    public void Settle()
    {
        bool hasRoom = HasRoom;
        if (_room.Count > 0 && hasRoom)
        {
            _room.ForEach(ready.Add);
            _room.Clear();
        }

        inbox.Settle(hasRoom);
    }
}
