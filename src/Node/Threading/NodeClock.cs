namespace Cocaine.Fast.Node.Threading;

/// <summary>
/// Timeouts of work on <see cref="NodeThreads"/>. They fire on those threads and on time, whatever apps do to the thread pool, where the
/// runtime's own timers fire.
/// </summary>
internal sealed class NodeClock : TimeProvider
{
    private readonly object _lock = new();  // guards the queue and all timers; the clock's thread waits on it
    private readonly PriorityQueue<(NodeTimer Timer, long Version), long> _due = new(); // by due time, ms; old versions stay in it
    private bool _isRunning;

    private NodeClock()
    {
    }

    public static NodeClock Instance { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        NodeTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Makes the clock's thread, so that a node that must end needs no new one.</summary>
    public void Warm()
    {
        lock (_lock)
        {
            if (!_isRunning)
            {
                new Thread(Serve) { Name = "clock", IsBackground = true }.Start();
                _isRunning = true;
            }
        }
    }

    private void Arm(NodeTimer timer, long delayMs)
    {
        timer.Version++;
        if (delayMs < 0)
        {
            return;
        }

        long due = Environment.TickCount64 + delayMs;
        _due.Enqueue((timer, timer.Version), due);
        Warm();
        Monitor.Pulse(_lock);
    }

    private void Serve()
    {
        lock (_lock)
        {
            while (true)
            {
                if (!_due.TryPeek(out (NodeTimer Timer, long Version) next, out long due))
                {
                    Monitor.Wait(_lock);
                    continue;
                }

                long leftMs = due - Environment.TickCount64;
                if (next.Timer.Version == next.Version && leftMs > 0)
                {
                    Monitor.Wait(_lock, (int)Math.Min(leftMs, int.MaxValue));
                    continue;
                }

                _due.Dequeue();
                if (next.Timer.Version == next.Version)
                {
                    NodeThreads.Post(next.Timer.Fire);
                    Arm(next.Timer, next.Timer.PeriodMs);
                }
            }
        }
    }

    private sealed class NodeTimer(NodeClock clock, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Grows with each change, which makes queued entries of earlier versions void. Under the clock's lock.</summary>
        public long Version { get; set; }

        /// <summary>Under the clock's lock.</summary>
        public long PeriodMs { get; private set; } = -1;

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                PeriodMs = period <= TimeSpan.Zero ? -1 : Math.Max(1, (long)period.TotalMilliseconds);
                clock.Arm(this, dueTime < TimeSpan.Zero ? -1 : (long)Math.Ceiling(dueTime.TotalMilliseconds));
                return true;
            }
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
