namespace Cocaine.Fast.Worker;

/// <summary>
/// Says which thread is the slave's loop. A handler that has to wait in the middle of a synchronous call keeps its thread, and another
/// thread is the loop meanwhile; when the handler may go on, it gets the seat back.
/// </summary>
/// <remarks>
/// Only the thread with the seat runs handlers and touches channels, rings and sockets. So handlers run one at a time, whatever thread each
/// of them is on. The seat changes hands under the lock, and with it all that its holder wrote before becomes visible to the next one.
/// There is one thread for each handler that waits in this way, and one more: at most as many as the app's concurrency, and one.
/// </remarks>
/// <param name="serve">
/// The loop, for a thread that sits down for the first time; returns or throws when the loop has ended. Null when no other thread can be
/// the loop: then nobody may leave.
/// </param>
internal sealed class LoopSeat(Action? serve = null)
{
    private const int Nobody = 0; // no thread has this number

    private readonly object _lock = new();
    private readonly Stack<int> _idle = new();   // threads with nothing to do until a handler waits; only the loop uses it
    private volatile int _thread = Environment.CurrentManagedThreadId;
    private bool _isOver;                        // guarded by the lock

    /// <summary>The calling thread is the loop.</summary>
    public bool IsMine => Environment.CurrentManagedThreadId == _thread;

    /// <summary>The number of the loop's thread.</summary>
    public int Thread => _thread;

    /// <summary>
    /// Messages are being taken, or the loop ends: the same thread must finish half-done work. On the loop.
    /// </summary>
    public bool IsFixed { get; set; }

    /// <summary>The handler that runs now may wait, and others run meanwhile. On the loop.</summary>
    public bool CanLeave => serve is not null && !IsFixed;

    /// <summary>Takes the node's messages, without running a handler. On the loop. Set by the driver.</summary>
    public Action Look { get; set; } = static () => { };

    /// <summary>Gives the seat away while the calling thread's handler waits; returns once some thread has passed it back.</summary>
    /// <exception cref="OperationCanceledException">The loop has ended.</exception>
    public void Leave()
    {
        if (_idle.TryPop(out int next))
        {
            Give(next);
        }
        else
        {
            StartSubstitute();
        }

        if (!Await())
        {
            throw new OperationCanceledException("the slave has ended");
        }
    }

    /// <summary>Passes the seat to a thread with a handler that may go on; returns once this thread is needed again.</summary>
    /// <exception cref="LoopOverException">The loop has ended meanwhile.</exception>
    public void PassTo(int thread)
    {
        _idle.Push(Environment.CurrentManagedThreadId);
        Give(thread);
        if (!Await())
        {
            throw new LoopOverException();
        }
    }

    /// <summary>The thread that ran a handler may have lost the seat for good, because the loop ended while the handler waited.</summary>
    /// <exception cref="LoopOverException">It has.</exception>
    public void ThrowIfOver()
    {
        if (!IsMine)
        {
            throw new LoopOverException();
        }
    }

    /// <summary>The loop has ended, and its parts are closed: no thread is the loop any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isOver = true;
            _thread = Nobody;
            Monitor.PulseAll(_lock);
        }
    }

    private void StartSubstitute()
    {
        int own = _thread;
        System.Threading.Thread substitute = new(() => serve!())
        {
            IsBackground = true,
            Name = System.Threading.Thread.CurrentThread.Name,
        };
        try
        {
            _thread = substitute.ManagedThreadId; // before it runs: the start shows it all that was written
            substitute.Start();
        }
        catch
        {
            _thread = own; // the system has no room for a thread: the handler gets the error
            throw;
        }
    }

    private void Give(int thread)
    {
        lock (_lock)
        {
            _thread = thread;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits for the seat; false when the loop has ended.</summary>
    private bool Await()
    {
        lock (_lock)
        {
            while (!IsMine && !_isOver)
            {
                Monitor.Wait(_lock);
            }

            return IsMine;
        }
    }
}

/// <summary>Ends the calls of a loop on a thread that is not needed any more, because another thread has ended the loop.</summary>
internal sealed class LoopOverException : Exception
{
    public LoopOverException()
        : base("the slave's loop has ended on another thread")
    {
    }
}
