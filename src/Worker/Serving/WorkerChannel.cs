namespace Cocaine.Fast.Worker.Serving;

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

/// <summary>One job on this worker. Pooled by its session.</summary>
/// <remarks>
/// The request and the response are used for further jobs as long as no handler can have kept them: it would have needed an object for
/// that, a task, a closure, an entry in a list. So the bytes that the loop's thread allocates while a handler runs on it are counted, and
/// a job whose handler allocated any leaves its objects to the garbage collector. A late call by a forgotten task then meets an object
/// that serves no other job, and throws.
/// </remarks>
internal sealed class WorkerChannel
{
    private readonly WorkerSession _session;
    private volatile int _sharing;   // a Sharing; written by the loop, read by threads that call from outside
    private long _allocatedBefore;   // by the loop's thread when the handler was entered; valid in Handler

    public WorkerChannel(WorkerSession session)
    {
        _session = session;
        Request = new Request(session, this);
        Response = new Response(session, this);
    }

    public ulong Number { get; private set; }

    public AppEvent Event { get; private set; } = null!;

    public Request Request { get; private set; }

    public Response Response { get; private set; }

    public Sharing Sharing => (Sharing)_sharing;

    /// <summary>The handler has returned or failed, and our terminal message is written.</summary>
    public bool Ended { get; set; }

    /// <summary>The node has sent its terminal message.</summary>
    public bool NodeEnded { get; set; }

    /// <summary>The handler's task, while it waits for something.</summary>
    public ValueTask Running { get; set; }

    /// <summary>When the handler was started, ms; 0 before. For reports, from any thread.</summary>
    public long StartedMs { get; set; }

    /// <summary>Goes on when <see cref="Running"/> is done. Made once a channel, so that a job makes none.</summary>
    public Action Continue => _continue ??= () => _session.OnHandlerDone(this);

    private Action? _continue;

    /// <summary>The next job.</summary>
    public void Begin(ulong number, AppEvent called, ReadOnlySpan<byte> headers)
    {
        Number = number;
        Event = called;
        Ended = NodeEnded = false;
        StartedMs = 0;
        _sharing = (int)(called.HandsOn ? Sharing.Anybody : Sharing.Nobody);
        Request.Begin(called.Name, headers);
        Response.Begin();
    }

    /// <summary>The loop goes into the handler.</summary>
    public void EnterHandler()
    {
        if (Event.SharesObjects && _sharing == (int)Sharing.Nobody)
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

    /// <summary>The job is over: its objects take no more calls, and serve the next job when nobody can have kept them.</summary>
    public void End()
    {
        LeaveHandler();
        bool isClean = Request.End() && _sharing == (int)Sharing.Nobody;
        Response.End();
        if (!isClean && Event.SharesObjects)
        {
            Request = new Request(_session, this);
            Response = new Response(_session, this);
        }
        else
        {
            Request.Reset();
        }
    }

    /// <summary>Called by other threads before they touch the job's objects.</summary>
    /// <exception cref="InvalidOperationException">Nobody can have got them from the handler of the job that they serve now.</exception>
    public void ThrowIfPrivate()
    {
        if (_sharing == (int)Sharing.Nobody)
        {
            // Should it be this job's after all, handed on without an object, this error ends that one job; from the next one on the
            // event's objects serve one job each, and such calls are taken.
            Event.HandsOn = true;
            Share();
            throw new InvalidOperationException("the job that had this request and response has ended: they serve another one now");
        }
    }
}
