using System.Threading.Tasks.Sources;

namespace Cocaine.Fast.Worker;

/// <summary>
/// The waits of a job's writers: while the node holds the answer because its caller has too much of it unsent, and while the node has no
/// room. A writer on the loop's thread waits as a task, or with its thread in the middle of a synchronous call; writers on other threads
/// wait for the hold only.
/// </summary>
/// <param name="seat">Knows the loop's thread.</param>
/// <param name="answers">Knows the room.</param>
/// <param name="ready">Gets this wait when it may be over.</param>
/// <param name="holders">Counts what a handler allocates when it goes on.</param>
internal sealed class AnswerHold(LoopSeat seat, AnswerWriter answers, ReadyHandlers ready, JobHolders holders)
    : IHandlerWait, IValueTaskSource
{
    private const int NoThread = 0;

    private readonly Lock _lock = new();        // guards the waits of other threads, and the marks when they change
    private volatile bool _isHeld;              // the loop writes it, writers on any thread read it
    private volatile JobCancelledException? _givenUp; // the caller's error, once the job was cancelled, or its end
    private TaskCompletionSource? _task;        // a handler on the loop waits as a task; only the loop uses it
    private ManualResetValueTaskSourceCore<bool> _room; // a handler on the loop waits for room; the same
    private bool _awaitsRoom;                   // until the wait is over; only the loop uses it
    private int _thread;                        // a handler waits with its thread; only the loop uses it
    private TaskCompletionSource? _elsewhere;   // writers on other threads wait; guarded by the lock

    /// <summary>The node has asked to send no more. From any thread.</summary>
    public bool IsHeld => _isHeld;

    /// <summary>A wait for room has begun, and its handler has not come back for the result.</summary>
    public bool IsInUse { get; private set; }

    private bool IsAwaitedOnLoop => _task is not null || _awaitsRoom || _thread != NoThread;

    /// <summary>The writer may write. On the loop.</summary>
    private bool MayWrite => !_isHeld && answers.HasRoom;

    /// <summary>The next job begins. On the loop, like all members but those of other threads.</summary>
    public void Begin()
    {
        _isHeld = false;
        _givenUp = null;
    }

    /// <summary>The node asks to hold the answer, or to go on.</summary>
    public void Set(bool holds)
    {
        _isHeld = holds;
        if (!holds)
        {
            Free();
        }
    }

    /// <summary>Nobody wants the answer any more, or the job is over: writers that wait get an error.</summary>
    public void Cancel(JobCancelledException error)
    {
        _givenUp ??= error;
        if (_isHeld || IsAwaitedOnLoop) // otherwise nobody waits, on any thread
        {
            Free();
        }
    }

    /// <summary>
    /// Takes the node's messages: maybe one holds this answer. Others begin jobs, of which the handler knows nothing.
    /// </summary>
    public void Look()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        seat.Look();
        holders.Excuse(GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>Waits with this thread, the loop's, until the writer may write. Other handlers run meanwhile.</summary>
    /// <exception cref="OperationCanceledException">
    /// The job was cancelled, which is a <see cref="JobCancelledException"/>; or the loop has ended.
    /// </exception>
    public void WaitHere()
    {
        Look();
        while (!MayWrite && seat.CanLeave)
        {
            ThrowIfCancelled();
            _thread = seat.Thread;
            WatchRoom();
            try
            {
                seat.Leave();
            }
            finally
            {
                _thread = NoThread;
            }
        }
    }

    /// <summary>Takes no message of the node, and lets no handler wait with its thread, until this is undone. On the loop.</summary>
    /// <returns>What it was before.</returns>
    public bool Fix(bool isFixed)
    {
        bool before = seat.IsFixed;
        seat.IsFixed = isFixed;
        return before;
    }

    /// <summary>Ends, on the loop, when there is room. Makes no object, unless the handler has begun another wait already.</summary>
    public ValueTask WaitForRoom()
    {
        if (IsInUse || _givenUp is not null)
        {
            holders.Share(); // a task that another handler can wait for too: continuations are not counted
            return new ValueTask(WaitAsTask());
        }

        WatchRoom();
        _room.Reset();
        _awaitsRoom = IsInUse = true;
        return new ValueTask(this, _room.Version);
    }

    void IValueTaskSource.GetResult(short token)
    {
        if (_room.GetStatus(token) != ValueTaskSourceStatus.Pending)
        {
            IsInUse = false;
        }

        _room.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _room.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _room.OnCompleted(continuation, state, token, flags);

    /// <summary>A task that ends, on the loop, when the writer may write.</summary>
    public Task WaitAsTask()
    {
        if (_givenUp is { } error)
        {
            return Task.FromException(error.Again());
        }

        WatchRoom();
        return (_task ??= new TaskCompletionSource()).Task;
    }

    /// <summary>A task that ends when the answer is not held; null when it is not. On another thread than the loop's.</summary>
    public Task? WaitElsewhere()
    {
        if (!_isHeld)
        {
            return null;
        }

        lock (_lock)
        {
            // The loop changes the marks before it takes the lock to free: a wait that it does not see here sees the change.
            return _givenUp is { } error ? Task.FromException(error.Again()) : !_isHeld ? null
                : (_elsewhere ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <inheritdoc/>
    public void Continue()
    {
        if (!MayWrite && _givenUp is null)
        {
            if (IsAwaitedOnLoop)
            {
                WatchRoom();
            }

            return;
        }

        if (_thread != NoThread)
        {
            if (!seat.IsFixed) // otherwise the loop ends, and its end wakes the thread
            {
                seat.PassTo(_thread);
            }
        }
        else
        {
            if (_awaitsRoom)
            {
                _awaitsRoom = false;
                GoOn();
            }

            if (_task is { } task)
            {
                _task = null;
                Complete(task);
            }
        }
    }

    /// <summary>The wait for room is over: the handler continues here, on the loop.</summary>
    private void GoOn()
    {
        holders.EnterHandler();
        try
        {
            if (_givenUp is { } error)
            {
                _room.SetException(error.Again());
            }
            else
            {
                _room.SetResult(true);
            }
        }
        catch (Exception thrown)
        {
            FailureText.Print(thrown); // from an awaiter of the app itself; the exceptions of an async method stay in its task
        }

        holders.LeaveHandler();
    }

    /// <summary>The end of a hold shows itself by <see cref="Set"/>; room has to be waited for.</summary>
    private void WatchRoom()
    {
        if (!_isHeld)
        {
            answers.WatchRoom(this);
        }
    }

    private void Free()
    {
        if (IsAwaitedOnLoop)
        {
            ready.Add(this);
        }

        TaskCompletionSource? elsewhere;
        lock (_lock)
        {
            (elsewhere, _elsewhere) = (_elsewhere, null);
        }

        if (elsewhere is not null)
        {
            Complete(elsewhere);
        }
    }

    private void Complete(TaskCompletionSource task)
    {
        if (_givenUp is { } error)
        {
            task.SetException(error.Again());
        }
        else
        {
            task.SetResult();
        }
    }

    private void ThrowIfCancelled()
    {
        if (_givenUp is { } error)
        {
            throw error.Again();
        }
    }
}
