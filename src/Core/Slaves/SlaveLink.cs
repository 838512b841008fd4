using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The way to one slave, whatever it is: rings to a thread, rings to a process, a worker's socket. A backend implements it; it reports to
/// its <see cref="Slave"/> on the loop's thread: OnReady, OnMessage, OnRoom, OnKilled, OnDead.
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

    /// <summary>Shows the written messages to the slave at the end of this turn.</summary>
    public abstract void Flush();

    /// <summary>Stops taking the slave's messages, until <see cref="ResumeReading"/>: a caller is slower than it.</summary>
    public abstract void PauseReading();

    public abstract void ResumeReading();

    /// <summary>Ends the slave at once, whatever it does: it says so by OnKilled, and OnDead follows.</summary>
    public abstract void Kill(string reason);

    /// <summary>The same for a slave that hung: where there is a way, it is let say first where it did.</summary>
    public virtual void KillHung(string reason) => Kill(reason);
}
