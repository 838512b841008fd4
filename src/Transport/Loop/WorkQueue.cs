namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Many threads post, and one loop takes: a lock-free stack that the loop takes whole and reverses, so that order is kept.
/// </summary>
internal sealed class WorkQueue
{
    private LoopWork? _top;

    /// <summary>Adds work. True when the queue was empty before.</summary>
    public bool Add(LoopWork work)
    {
        LoopWork? top;
        do
        {
            top = Volatile.Read(ref _top);
            work.NextWork = top;
        }
        while (Interlocked.CompareExchange(ref _top, work, top) != top); // full fence; other half: the exchange in TakeAll

        return top is null;
    }

    public bool IsEmpty => Volatile.Read(ref _top) is null;

    /// <summary>Runs what is there now, in the order of its posting.</summary>
    /// <param name="onFault">Hears of work that failed; the rest of it runs.</param>
    public void RunAll(Action<Exception> onFault)
    {
        for (LoopWork? work = TakeAll(); work is not null;)
        {
            LoopWork current = work;
            work = current.NextWork; // read before Run: the owner may post it again at once
            current.NextWork = null;
            try
            {
                current.Run();
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                onFault(fault);
            }
        }
    }

    /// <summary>All work in the order of its posting, linked by NextWork; null when there is none.</summary>
    private LoopWork? TakeAll()
    {
        if (IsEmpty)
        {
            return null;
        }

        LoopWork? newest = Interlocked.Exchange(ref _top, null); // other half: the compare-exchange in Add
        LoopWork? oldest = null;
        while (newest is not null)
        {
            LoopWork? next = newest.NextWork;
            newest.NextWork = oldest;
            oldest = newest;
            newest = next;
        }

        return oldest;
    }
}
