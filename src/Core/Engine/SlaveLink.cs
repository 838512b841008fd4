using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// The way to one slave, whatever it is: rings to a thread, rings to a process, a worker's socket. A backend implements it; it reports
/// to its
/// <see cref="Slave"/> on the loop's thread: OnReady, OnMessage, OnRoom, OnKilled, OnDead.
/// </summary>
internal abstract class SlaveLink
{
    /// <summary>Where messages to the slave are written; call <see cref="Flush"/> after. Valid from OnReady on.</summary>
    public abstract MessageSink Sink { get; }

    /// <summary>Bytes that the slave has not made room for yet.</summary>
    public abstract long BacklogBytes { get; }

    /// <summary>True when payloads may be written as MessagePack bin.</summary>
    public abstract bool PeerSpeaksBin { get; }

    /// <summary>How it is connected, for info: "shared memory", "socket", "thread".</summary>
    public abstract string Kind { get; }

    /// <summary>The process id; 0 for a thread.</summary>
    public abstract int ProcessId { get; }

    /// <summary>Resident memory of the slave's process now, bytes; 0 when it has none of its own. Reads a file: not for each job.</summary>
    public virtual long ReadRssBytes() => 0;

    /// <summary>The last lines that the slave printed, oldest first; none for a thread.</summary>
    public virtual IReadOnlyList<string> LastLines => [];

    /// <summary>Shows what was written to the slave at the end of this turn.</summary>
    public abstract void Flush();

    /// <summary>Stops taking the slave's messages, until <see cref="ResumeReading"/>: a caller is slower than it.</summary>
    public abstract void PauseReading();

    public abstract void ResumeReading();

    /// <summary>Ends the slave at once, whatever it does: it says so by OnKilled, and OnDead follows.</summary>
    public abstract void Kill(string reason);

    /// <summary>The same for a slave that hung: where there is a way, it is let say first where it did.</summary>
    public virtual void KillHung(string reason) => Kill(reason);
}

/// <summary>The link of a slave whose launch failed: there is nothing behind it, and the slave dies in the loop's next turn.</summary>
internal sealed class UnlaunchedLink(Slave slave) : SlaveLink
{
    public override MessageSink Sink => throw new InvalidOperationException("a slave that was not launched gets no message");

    public override long BacklogBytes => 0;

    public override bool PeerSpeaksBin => true;

    public override string Kind => "none";

    public override int ProcessId => 0;

    public override void Flush()
    {
    }

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Kill(string reason) => slave.OnKilled();
}

/// <summary>Makes slaves.</summary>
internal interface ISlaveBackend
{
    /// <summary>
    /// Starts a slave. What fails is a failed start of that slave, whether it is thrown from here, with all that was taken given back, or
    /// reported through <see cref="Slave.OnDead"/> later on the loop.
    /// </summary>
    SlaveLink Launch(Slave slave);

    /// <summary>
    /// How many of so many slaves may be launched now. The pool asks before each launch, launches no more, and asks again after <see
    /// cref="EngineLimits.RoomPauseMs"/> while it wants more. So the node keeps what it needs itself to serve and to stop: descriptors,
    /// process ids. On the loop, and quick. A slave that was launched and has not opened everything yet is the backend's to count.
    /// </summary>
    /// <param name="wanted">1 or more.</param>
    /// <param name="isFirst">
    /// The app has no other slave: the backend may give it one from what it keeps back, so that a full node still serves each app.
    /// </param>
    SlaveRoom RoomFor(int wanted, bool isFirst) => new(wanted);

    /// <summary>Slaves that were given up and run on, because the backend cannot end them: threads that hang.</summary>
    int ThreadsLeft => 0;

    /// <summary>Slaves that have ended and whose code cannot be unloaded from the node.</summary>
    int CodeLeft => 0;

    /// <summary>Most slaves of an app that may be starting at a time.</summary>
    int StartsAtOnce => EngineLimits.StartsAtOnce;
}

/// <summary>What an engine needs of the loop it lives on.</summary>
internal interface IEngineLoop
{
    /// <summary>Monotonic ns of this turn.</summary>
    long NowTicks { get; }

    /// <summary>Monotonic ms of this turn.</summary>
    long NowMs { get; }

    /// <summary>
    /// Ms for which the loop has listened: goes with <see cref="NowMs"/>, but stands still while the loop could not look at what its peers
    /// say, because the node was stopped, swapped out or busy with something else. A peer's silence is measured by it.
    /// </summary>
    long ListenedMs { get; }

    /// <summary>What is due by the clock: <see cref="NowMs"/>.</summary>
    Jobs.DeadlineWheel Timers { get; }

    /// <summary>For how long others may be silent or slow, by <see cref="ListenedMs"/>.</summary>
    Jobs.DeadlineWheel Patience { get; }

    /// <summary>Blocks for the requests and answers of all that lives on it: a version of an app that ends leaves none behind.</summary>
    Jobs.BlockPool Blocks { get; }
}
