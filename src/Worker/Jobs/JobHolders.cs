namespace Cocaine.Fast.Worker;

/// <summary>Says which code may hold a job's request and response.</summary>
internal enum Sharing
{
    /// <summary>
    /// No code: the handler was not started, or it waits and has allocated nothing, so there is no object that could hold them.
    /// </summary>
    Nobody,

    /// <summary>The handler, which runs on the loop and may be passing them on.</summary>
    Handler,

    /// <summary>Any code: the handler has allocated an object since it began, or was seen outside the loop.</summary>
    Anybody,
}

/// <summary>What the handlers of an event do with the objects of their jobs.</summary>
/// <param name="isShared">The app's code gets the request itself, or its memory, and may keep it.</param>
internal sealed class ObjectUse(bool isShared)
{
    private volatile bool _handsOn;

    public bool IsShared { get; } = isShared;

    /// <summary>A handler passed the objects on without allocating one: from then on each object serves one job only.</summary>
    public bool HandsOn
    {
        get => _handsOn;
        set => _handsOn = value;
    }
}

/// <summary>Finds out which code may hold the request and the response of a channel's job.</summary>
/// <remarks>
/// The request and the response are used for further jobs as long as no handler can have kept them. To keep them, a handler needs an
/// object: a task, a closure, an entry in a list. So the bytes that the loop's thread allocates while a handler runs on it are counted, and
/// a job whose handler allocated any leaves its objects to the garbage collector. A late call by a forgotten task then meets an object that
/// serves no other job, and throws.
/// </remarks>
/// <param name="inbox">Knows the loop's thread.</param>
internal sealed class JobHolders(LoopInbox inbox)
{
    private ObjectUse _use = null!;  // use of the job's event; set from Begin on
    private volatile int _sharing;   // a Sharing; the loop writes it, threads outside the loop read it
    private long _allocatedBefore;   // by the loop's thread before it entered the handler, and by others since; valid in Handler

    /// <summary>The calling thread is the loop's.</summary>
    public bool IsOnLoop => inbox.IsOnLoop;

    public Sharing Sharing => (Sharing)_sharing;

    /// <summary>Begins the next job. On the loop, like all members below that do not say otherwise.</summary>
    public void Begin(ObjectUse use)
    {
        _use = use;
        _sharing = (int)(use.HandsOn ? Sharing.Anybody : Sharing.Nobody);
    }

    /// <summary>The loop goes into the handler.</summary>
    public void EnterHandler()
    {
        if (_use.IsShared && _sharing == (int)Sharing.Nobody)
        {
            _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            _sharing = (int)Sharing.Handler;
        }
    }

    /// <summary>Others than the handler have allocated on the loop's thread while it ran.</summary>
    public void Excuse(long bytes) => _allocatedBefore += bytes;

    /// <summary>The loop comes back from the handler, which waits or has ended.</summary>
    public void LeaveHandler()
    {
        if (_sharing == (int)Sharing.Handler)
        {
            bool allocated = GC.GetAllocatedBytesForCurrentThread() != _allocatedBefore;
            _sharing = (int)(allocated ? Sharing.Anybody : Sharing.Nobody);
        }
    }

    /// <summary>The handler continued outside the loop, where nobody counted.</summary>
    public void Share() => _sharing = (int)Sharing.Anybody;

    /// <summary>Called by other threads before they touch the job's objects.</summary>
    /// <exception cref="InvalidOperationException">No code can have got the objects from the handler of their present job.</exception>
    public void ThrowIfPrivate()
    {
        if (_sharing == (int)Sharing.Nobody)
        {
            // If the call does belong to this job, whose handler passed the objects on without an allocation, this error ends that one job.
            // From the next job on, the event's objects serve one job each, and such calls work.
            _use.HandsOn = true;
            Share();
            throw new InvalidOperationException("the job that had this request and response has ended: they serve another one now");
        }
    }
}
