namespace Cocaine.Fast.Worker;

/// <summary>
/// Counts the bytes of a slave's streamed requests that their handlers have not read. Past the bound the loop takes nothing more from the
/// node, which then holds the callers back, until no more than half of it is left.
/// </summary>
/// <param name="inbox">Wakes the loop.</param>
internal sealed class UnreadBytes(LoopInbox inbox)
{
    private const long EnoughBytes = Limits.UnreadBytes / 2;

    private long _bytes;    // changed by the loop and by those that read elsewhere
    private bool _isFull;   // the loop's

    /// <summary>Looks whether the loop has to leave what the node sends where it is. On the loop.</summary>
    public bool IsFull() => _isFull = Volatile.Read(ref _bytes) > (_isFull ? EnoughBytes : Limits.UnreadBytes);

    /// <summary>A chunk has come and waits. On the loop.</summary>
    public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Chunks were read, or dropped. From any thread.</summary>
    public void Remove(int bytes, bool isOnLoop)
    {
        // A loop that has seen too much sleeps, or is about to: whoever brings the count down to enough wakes it. One does, since the count
        // is one word. The loop itself looks at the count again before it sleeps.
        long left = Interlocked.Add(ref _bytes, -bytes);
        if (!isOnLoop && left <= EnoughBytes && left + bytes > EnoughBytes)
        {
            inbox.Wake();
        }
    }
}
