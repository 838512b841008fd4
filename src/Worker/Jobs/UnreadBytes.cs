namespace Cocaine.Fast.Worker;

/// <summary>
/// Counts the bytes of a slave's streamed requests that their handlers have not read. Past the bound the loop takes no more from the node,
/// which then holds the callers back, until no more than half of the bound is left.
/// </summary>
/// <param name="inbox">Wakes the loop.</param>
internal sealed class UnreadBytes(LoopInbox inbox)
{
    private const long EnoughBytes = Limits.UnreadBytes / 2;

    private long _bytes;    // changed by the loop and by readers on other threads
    private bool _isFull;   // only the loop uses it

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
}
