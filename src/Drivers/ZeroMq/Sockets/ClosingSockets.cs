namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// The sockets of a node that are closed and still send their last messages: the loops must not end before. Any thread.
/// </summary>
internal sealed class ClosingSockets
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _none; // set while somebody waits and sockets are closing

    /// <summary>A socket begins to close.</summary>
    public void Add()
    {
        lock (_lock)
        {
            _count++;
        }
    }

    /// <summary>A socket has closed its last connection.</summary>
    public void Remove()
    {
        lock (_lock)
        {
            if (--_count == 0)
            {
                _none?.SetResult();
                _none = null;
            }
        }
    }

    /// <summary>Completes when no socket is closing.</summary>
    public Task WhenNone()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                return Task.CompletedTask;
            }

            _none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _none.Task;
        }
    }
}
