using System.Threading.Tasks.Sources;

namespace Cocaine.Fast.Client;

/// <summary>
/// A caller awaits it again and again, one wait at a time. The signal is its own thread-pool item: completing it allocates nothing, and no
/// continuation runs on the loop unless the caller asks for it.
/// </summary>
internal class Signal<T>(bool runInline) : IValueTaskSource<T>, IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<T> _source;
    private T _result = default!;   // valid from Complete on
    private Exception? _failure;    // valid from Complete on

    private int _isBusy;            // 1 from Begin until the caller has taken the result

    /// <summary>Nobody waits for a result or has one to take.</summary>
    public bool IsIdle => Volatile.Read(ref _isBusy) == 0;

    /// <summary>The started wait, for its only awaiter.</summary>
    public ValueTask<T> Task => new(this, _source.Version);

    /// <summary>The started wait, for a caller that does not need the result.</summary>
    public ValueTask VoidTask => new(this, _source.Version);

    protected short Version => _source.Version;

    /// <summary>Starts a wait.</summary>
    /// <exception cref="InvalidOperationException">The wait before has not ended.</exception>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _isBusy, 1) == 1)
        {
            throw new InvalidOperationException("await one before the next: a call has one reader and one writer");
        }

        _source.Reset();
    }

    /// <summary>Ends the wait, once.</summary>
    public void Complete(T result, Exception? failure)
    {
        _result = result;
        _failure = failure;
        if (runInline)
        {
            Publish();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false); // its queue is the fence for the fields above
        }
    }

    void IThreadPoolWorkItem.Execute() => Publish();

    T IValueTaskSource<T>.GetResult(short token) => Take(token);

    void IValueTaskSource.GetResult(short token) => Take(token);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>The caller takes a result that is no failure.</summary>
    protected virtual void OnTaken(T result)
    {
    }

    /// <summary>The caller has the result, or the failure.</summary>
    protected virtual void OnIdle()
    {
    }

    protected T Take(short token)
    {
        try
        {
            T result = _source.GetResult(token);
            OnTaken(result);
            return result;
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
            OnIdle();
        }
    }

    private void Publish()
    {
        if (_failure is null)
        {
            _source.SetResult(_result);
        }
        else
        {
            _source.SetException(_failure);
        }
    }
}
