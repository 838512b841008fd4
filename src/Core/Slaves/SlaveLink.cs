using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The way to one slave: rings to a thread, rings to a process, or a worker's socket. A backend implements the link. The link reports to
/// its <see cref="Slave"/> on the loop's thread: OnReady, OnMessage, OnRoom, OnKilled, OnDead.
/// </summary>
internal abstract class SlaveLink
{
    /// <summary>The place to write messages to the slave; call <see cref="Flush"/> afterwards. Valid from OnReady on.</summary>
    public abstract MessageSink Sink { get; }

    /// <summary>Bytes of messages that the slave has not made room for yet.</summary>
    public abstract long BacklogBytes { get; }

    /// <summary>The slave has no room at present: what is written waits beyond the end of the turn.</summary>
    public virtual bool IsBlocked => BacklogBytes > 0;

    /// <summary>The worker understands payloads written as MessagePack bin.</summary>
    public abstract bool PeerSpeaksBin { get; }

    /// <summary>How the worker is connected, for info: "shared memory", "socket", "thread".</summary>
    public abstract string Kind { get; }

    /// <summary>The process id; 0 for a thread.</summary>
    public abstract int ProcessId { get; }

    /// <summary>
    /// Resident memory of the slave's process now, bytes; 0 when the slave has no process of its own. The method reads a file: do not call
    /// it for each job.
    /// </summary>
    public virtual long ReadRssBytes() => 0;

    /// <summary>The last lines that the slave printed, oldest first; none for a thread.</summary>
    public virtual IReadOnlyList<string> LastLines => [];

    /// <summary>The worker says what it has begun, and jobs can be taken back from it. Valid from its first message on.</summary>
    public virtual bool TellsBegun => false;

    /// <summary>
    /// The highest channel whose job the worker has begun, or may begin by now; of one that does not tell, every channel. From another
    /// process: any number.
    /// </summary>
    public virtual ulong Begun => ulong.MaxValue;

    /// <summary>
    /// Begins to take jobs back. From here on the worker begins none above <paramref name="begun"/> until it has read the recall's message,
    /// which the caller must write.
    /// </summary>
    /// <param name="begun">The highest channel that it has begun.</param>
    /// <returns>The recall's number, for the message.</returns>
    /// <exception cref="InvalidOperationException">The worker does not tell.</exception>
    public virtual int BeginRecall(out ulong begun) => throw new InvalidOperationException("the worker does not tell what it has begun");

    /// <summary>
    /// Each side can ask the other to hold the chunks of one channel. Without that, a slow caller holds back the whole slave, and only
    /// while it is the slave's only caller. Valid from OnReady on.
    /// </summary>
    public virtual bool HasFlow => false;

    /// <summary>Shows the written messages to the slave at the end of this turn.</summary>
    public abstract void Flush();

    /// <summary>
    /// The link calls <see cref="RequestPressure.OnRead"/> once, in a later turn, when the slave has read all that was written until now.
    /// Nothing comes when the slave ends before.
    /// </summary>
    public abstract void AskForRead();

    /// <summary>Stops reading the slave's messages until <see cref="ResumeReading"/>, because a caller is slower than the slave.</summary>
    public abstract void PauseReading();

    public abstract void ResumeReading();

    /// <summary>Ends the slave at once, whatever the slave does. The link reports it by OnKilled, and OnDead follows.</summary>
    public abstract void Kill(string reason);

    /// <summary>Ends a slave that hung, like <see cref="Kill"/>. Where there is a way, the slave first tells where it hung.</summary>
    public virtual void KillHung(string reason) => Kill(reason);
}
