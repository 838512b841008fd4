namespace Cocaine.Fast.Worker;

/// <summary>A request with much unread.</summary>
internal interface ILongRequest
{
    /// <summary>The handler had its time to read: is there still much? On the loop.</summary>
    void LookAtUnread();
}

/// <summary>
/// Bounds the bytes of a slave's streamed requests that their handlers have not read. With flow control the node is asked to hold the one
/// request. Otherwise all of them are counted: past the bound the loop takes no more from the node, which then holds the callers back,
/// until no more than half of the bound is left.
/// </summary>
/// <param name="inbox">Wakes the loop.</param>
/// <param name="tell">Tells the node to hold a channel (true), or to go on (false); on the loop.</param>
internal sealed class UnreadBytes(LoopInbox inbox, Action<ulong, bool> tell)
{
    private const long EnoughBytes = Limits.UnreadBytes / 2;

    private readonly List<ILongRequest> _long = []; // to look at when handlers have run; only the loop uses it
    private long _bytes;    // changed by the loop and by readers on other threads
    private bool _isFull;   // only the loop uses it

    /// <summary>The node holds single requests. Set before the first message.</summary>
    public bool HasFlow { get; set; }

    /// <summary>Says whether the loop must leave the node's messages in the ring or socket. On the loop.</summary>
    public bool IsFull() => _isFull = Volatile.Read(ref _bytes) > (_isFull ? EnoughBytes : Limits.UnreadBytes);

    /// <summary>A chunk has come and waits. On the loop.</summary>
    public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Chunks were read, or dropped. From any thread.</summary>
    public void Remove(int bytes, bool isOnLoop)
    {
        // A loop that has seen too many bytes sleeps, or is about to: the reader that brings the count below the bound wakes it. Exactly
        // one does, since the count is one word. The loop itself looks at the count again before it sleeps.
        long left = Interlocked.Add(ref _bytes, -bytes);
        if (!isOnLoop && left <= EnoughBytes && left + bytes > EnoughBytes)
        {
            inbox.Wake();
        }
    }

    /// <summary>A request has much unread: <see cref="HoldLong"/> looks at it. On the loop.</summary>
    public void AddLong(ILongRequest request) => _long.Add(request);

    /// <summary>Holds the requests that have much unread although their handlers could read. On the loop.</summary>
    public void HoldLong()
    {
        if (_long.Count > 0)
        {
            _long.ForEach(request => request.LookAtUnread());
            _long.Clear();
        }
    }

    /// <summary>Asks the node to hold the rest of a request. On the loop.</summary>
    public void Hold(ulong channel) => tell(channel, true);

    /// <summary>Asks the node to go on with a request. From any thread.</summary>
    public void GoOn(ulong channel)
    {
        if (inbox.IsOnLoop)
        {
            tell(channel, false);
        }
        else
        {
            _ = inbox.TryPost(new LoopCall(LoopCallKind.GoOn, channel)); // a loop that has ended has no requests
        }
    }
}
