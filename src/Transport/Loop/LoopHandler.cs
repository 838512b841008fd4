namespace Cocaine.Fast.Transport.Loop;

/// <summary>The owner of a descriptor that a loop watches.</summary>
internal abstract class LoopHandler
{
    /// <summary>The handler's place in its loop; -1 when it is not watched. Only the loop uses it.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>The descriptor has the given epoll events. Runs on the loop's thread.</summary>
    public abstract void OnReady(uint events);
}

/// <summary>A task at the end of a turn: publish a ring and ring its bell, or send.</summary>
internal abstract class TurnTask
{
    /// <summary>The task is in the loop's list. Only the loop uses it.</summary>
    internal bool Scheduled { get; set; }

    /// <summary>
    /// The turn ends. Runs on the loop's thread, once for each <see cref="EventLoop.ScheduleBell"/> or
    /// <see cref="EventLoop.ScheduleSend"/>.
    /// </summary>
    public abstract void OnTurnEnd();
}

/// <summary>
/// A source that the loop looks at in each turn while it is busy, and that parks before the loop sleeps: the reading end of a ring.
/// </summary>
internal abstract class PolledSource
{
    /// <summary>The loop polls the source. Only the loop uses it.</summary>
    internal bool Polled { get; set; }

    /// <summary>Takes the waiting records. Returns false when the source is gone and must not be polled again.</summary>
    public abstract bool Poll();

    /// <summary>Parks the source; false when something came meanwhile, so that the loop must not sleep.</summary>
    public abstract bool TryPark();
}

/// <summary>
/// Work for a loop from another thread. The owner of the work posts the same object again once it ran, so posting allocates nothing.
/// </summary>
internal abstract class LoopWork
{
    internal LoopWork? NextWork;

    /// <summary>Runs once on the loop's thread.</summary>
    public abstract void Run();
}

/// <summary>A delegate as work, for rare cases.</summary>
internal sealed class ActionWork(Action action) : LoopWork
{
    public override void Run() => action();
}
