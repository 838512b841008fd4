using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker;

/// <summary>
/// Requests of handlers on other threads to the slave's loop, in their order. Only the loop touches channels, rings and sockets, so a
/// handler may continue on any thread.
/// </summary>
/// <param name="bell">Wakes the loop.</param>
/// <param name="seat">Knows the loop's thread.</param>
/// <param name="execute">Carries out a call.</param>
internal sealed class LoopInbox(Doorbell bell, LoopSeat seat, LoopCallHandler execute)
{
    private readonly Lock _lock = new(); // guards all fields except those of the loop
    private List<LoopCall> _calls = [];
    private List<LoopCall> _taken = [];  // only the loop uses it; the two lists change places
    private TaskCompletionSource? _room;
    private long _bytes;
    private bool _isSlow;                // the node takes answers more slowly than they come; the loop writes it
    private bool _closed;                // the loop has ended
    private bool _running;               // only the loop uses it
    private volatile int _count;         // length of _calls, for a look without the lock

    /// <summary>The calling thread is the loop's.</summary>
    public bool IsOnLoop => seat.IsMine;

    /// <summary>There are calls. From any thread.</summary>
    public bool HasCalls => _count > 0;

    /// <summary>A writer was told to wait for the node. On the loop.</summary>
    public bool IsSlow => _isSlow;

    /// <summary>Adds a call; from any thread. False when the loop has ended.</summary>
    /// <exception cref="InvalidOperationException">Too many bytes wait here already.</exception>
    public bool TryPost(in LoopCall call)
    {
        int size = call.Data?.Length ?? 0;
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            if (size > 0 && _bytes > 0 && _bytes + size > Limits.MostPostedBytes)
            {
                throw new InvalidOperationException(
                    $"{_bytes} bytes of answers wait for the slave's loop already: await WriteAsync, which waits for room");
            }

            _bytes += size;
            _calls.Add(call);
            _count = _calls.Count;
            if (_count == 1)
            {
                bell.Ring(); // under the lock: after Close has returned, nobody rings a bell that may be gone
            }

            return true;
        }
    }

    /// <summary>Makes the loop look at a change; from any thread.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (!_closed)
            {
                bell.Ring();
            }
        }
    }

    /// <summary>A task that ends when there is room again; null when there is.</summary>
    public Task? WaitForRoom()
    {
        lock (_lock)
        {
            // Not on the loop: the code after the wait belongs to the handler, and this thread never did the loop's work.
            return _closed || (_bytes <= Limits.PostedBytes && !_isSlow) ? null
                : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>
    /// Serves the requests that have come until now; on the loop. True when there were any. Later requests wait for the next time: threads
    /// that write all the time must not keep the loop from its messages and heartbeats.
    /// </summary>
    public bool Run()
    {
        if (_count == 0 || _running)
        {
            return false;
        }

        long bytes = 0;
        lock (_lock)
        {
            (_calls, _taken) = (_taken, _calls);
            _count = 0;
        }

        _running = true;
        foreach (LoopCall call in _taken)
        {
            bytes += call.Data?.Length ?? 0;
            execute(in call);
        }

        _taken.Clear();
        _running = false;
        lock (_lock)
        {
            _bytes -= bytes;
        }

        return true;
    }

    /// <summary>Lets writers continue, or wait; on the loop, once in each turn.</summary>
    public void Settle(bool hasRoom)
    {
        if (_isSlow == !hasRoom && Volatile.Read(ref _room) is null)
        {
            return; // a wait that begins now follows a call, or finds _isSlow set: either one brings the loop here again
        }

        TaskCompletionSource? room = null;
        lock (_lock)
        {
            _isSlow = !hasRoom;
            if (hasRoom && _bytes <= Limits.PostedBytes)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.SetResult();
    }

    /// <summary>The loop ends: no more calls are taken, and nobody waits.</summary>
    public void Close()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _closed = true;
            _calls.Clear();
            _count = 0;
            (room, _room) = (_room, null);
        }

        room?.SetResult();
    }
}
