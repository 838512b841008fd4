namespace Cocaine.Fast.Transport.Loop;

/// <summary>Something with a descriptor that a loop watches.</summary>
internal abstract class LoopHandler
{
    /// <summary>The handler's place in its loop; -1 when it is not watched. Only the loop uses it.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>The descriptor has the given epoll events. Runs on the loop's thread.</summary>
    public abstract void OnReady(uint events);
}

/// <summary>Something that has to finish its turn: publish a ring and ring its bell, or send what was written.</summary>
internal abstract class TurnTask
{
    /// <summary>True while the task is in the loop's list. Only the loop uses it.</summary>
    internal bool Scheduled { get; set; }

    /// <summary>
    /// The turn ends. Runs on the loop's thread, once for each <see cref="EventLoop.ScheduleBell"/> or
    /// <see cref="EventLoop.ScheduleSend"/>.
    /// </summary>
    public abstract void OnTurnEnd();
}

/// <summary>
/// Something that is looked at on each turn while it is busy, and parks before the loop sleeps: the reading end of a ring.
/// </summary>
internal abstract class PolledSource
{
    /// <summary>True while the loop polls it. Only the loop uses it.</summary>
    internal bool Polled { get; set; }

    /// <summary>Takes what is there. Returns false when the source is gone and is not to be polled again.</summary>
    public abstract bool Poll();

    /// <summary>Parks; false when something came meanwhile, so that the loop must not sleep.</summary>
    public abstract bool TryPark();
}

/// <summary>Work for a loop from another thread. A node is reused by its owner once it ran, so posting allocates nothing.</summary>
internal abstract class LoopWork
{
    internal LoopWork? NextWork;

    /// <summary>Runs once on the loop's thread.</summary>
    public abstract void Run();
}

/// <summary>A delegate as work, for what is not hot.</summary>
internal sealed class ActionWork(Action action) : LoopWork
{
    public override void Run() => action();
}
