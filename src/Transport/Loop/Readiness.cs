namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Waits, off the loop, until a socket can be read or written; the loop watches the socket meanwhile. The asynchronous methods of .NET's
/// sockets would do so too, but .NET then watches the socket until its last descriptor is closed: a thread of .NET would wake for each
/// packet of a connection that gets a copy of the descriptor.
/// </summary>
internal sealed class Readiness : LoopHandler
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventLoop _loop;
    private readonly int _descriptor;
    private bool _isOver; // only the loop's thread uses it

    private Readiness(EventLoop loop, int descriptor)
    {
        _loop = loop;
        _descriptor = descriptor;
    }

    /// <summary>Waits for one of the events, or for the end of the connection. Nothing watches the descriptor afterwards.</summary>
    /// <param name="loop">A loop that runs.</param>
    /// <param name="descriptor">A socket; it must stay open until the wait has ended.</param>
    /// <param name="events">Events of <see cref="Linux.Epoll"/>.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static async Task WaitAsync(EventLoop loop, int descriptor, uint events, CancellationToken stop)
    {
        Readiness wait = new(loop, descriptor);
        loop.Post(() => wait.Begin(events));
        using CancellationTokenRegistration registration = stop.UnsafeRegister(static one => ((Readiness)one!).Cancel(), wait);
        await wait._done.Task.ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    public override void OnReady(uint events) => End();

    private void Cancel() => _loop.Post(End);

    private void Begin(uint events)
    {
        try
        {
            _loop.Watch(this, _descriptor, events);
        }
        catch (Exception failure)
        {
            _isOver = true;
            _done.TrySetException(failure); // nobody else would end the wait
        }
    }

    private void End()
    {
        if (!_isOver)
        {
            _isOver = true;
            _loop.Forget(this, _descriptor);
            _done.TrySetResult();
        }
    }
}
