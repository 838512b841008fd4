namespace Cocaine.Fast.Worker;

/// <summary>The holders of a job's request and response.</summary>
internal enum Sharing
{
    /// <summary>
    /// Nobody: the handler was not started, or it waits and has allocated nothing, so there is no object that could hold them.
    /// </summary>
    Nobody,

    /// <summary>The handler, which runs on the loop and may be handing them on.</summary>
    Handler,

    /// <summary>Anybody: the handler has allocated something since it began, or was seen elsewhere than on the loop.</summary>
    Anybody,
}

/// <summary>What the handler of an event does with the objects of its jobs.</summary>
/// <param name="isShared">The app's code gets the request itself, or its memory, and may keep it.</param>
internal sealed class ObjectUse(bool isShared)
{
    private volatile bool _handsOn;

    public bool IsShared { get; } = isShared;

    /// <summary>It was seen to hand them on without allocating an object for that: they serve one job each from then on.</summary>
    public bool HandsOn
    {
        get => _handsOn;
        set => _handsOn = value;
    }
}

/// <summary>Tells who may hold the request and the response of the job that a channel serves.</summary>
/// <remarks>
/// The request and the response are used for further jobs as long as no handler can have kept them: it would have needed an object for
/// that, a task, a closure, an entry in a list. So the bytes that the loop's thread allocates while a handler runs on it are counted, and
/// a job whose handler allocated any leaves its objects to the garbage collector. A late call by a forgotten task then meets an object
/// that serves no other job, and throws.
/// </remarks>
/// <param name="inbox">Knows the loop's thread.</param>
internal sealed class JobHolders(LoopInbox inbox)
{
    private ObjectUse _use = null!;  // of the job's event; from Begin on
    private volatile int _sharing;   // a Sharing; written by the loop, read by threads that call from outside
    private long _allocatedBefore;   // by the loop's thread when the handler was entered; valid in Handler

    /// <summary>The calling thread is the loop's.</summary>
    public bool IsOnLoop => inbox.IsOnLoop;

    public Sharing Sharing => (Sharing)_sharing;

    /// <summary>The next job. On the loop, as all that follows, but for what says otherwise.</summary>
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

    /// <summary>The loop comes back from the handler, which waits or has ended.</summary>
    public void LeaveHandler()
    {
        if (_sharing == (int)Sharing.Handler)
        {
            bool allocated = GC.GetAllocatedBytesForCurrentThread() != _allocatedBefore;
            _sharing = (int)(allocated ? Sharing.Anybody : Sharing.Nobody);
        }
    }

    /// <summary>The handler went on somewhere else than on the loop: nobody counted there.</summary>
    public void Share() => _sharing = (int)Sharing.Anybody;

    /// <summary>Called by other threads before they touch the job's objects.</summary>
    /// <exception cref="InvalidOperationException">Nobody can have got them from the handler of the job that they serve now.</exception>
    public void ThrowIfPrivate()
    {
        if (_sharing == (int)Sharing.Nobody)
        {
            // Should it be this job's after all, handed on without an object, this error ends that one job; from the next one on the
            // event's objects serve one job each, and such calls are taken.
            _use.HandsOn = true;
            Share();
            throw new InvalidOperationException("the job that had this request and response has ended: they serve another one now");
        }
    }
}
