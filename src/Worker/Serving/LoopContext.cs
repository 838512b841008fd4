using System.Collections.Concurrent;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>Brings continuations of handlers back to the slave's thread, which then writes their answers without a lock.</summary>
internal sealed class LoopContext(Doorbell bell) : SynchronizationContext
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _work = new();
    private readonly Thread _thread = Thread.CurrentThread;

    public bool HasWork => !_work.IsEmpty;

    public override void Post(SendOrPostCallback d, object? state)
    {
        _work.Enqueue((d, state));
        if (Thread.CurrentThread != _thread)
        {
            bell.Ring(); // always: a bell too many costs less than a lost one
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("waiting for the slave's own thread would stop it");

    /// <summary>
    /// Runs what was posted before the call. True when there was anything. What is posted meanwhile waits for the next turn: a handler
    /// that yields again and again must not keep the loop from its messages and heartbeats.
    /// </summary>
    public bool RunPosted()
    {
        if (_work.IsEmpty)
        {
            return false;
        }

        for (int left = _work.Count; left > 0 && _work.TryDequeue(out (SendOrPostCallback Callback, object? State) work); left--)
        {
            work.Callback(work.State);
        }

        return true;
    }
}
