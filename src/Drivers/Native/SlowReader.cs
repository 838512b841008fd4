using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>A client that may read its answers slowly.</summary>
internal interface ISlowClient
{
    /// <summary>Reads again, unless there is another reason to pause.</summary>
    void Resume();

    /// <summary>The client has read nothing for so long: its connection ends.</summary>
    void OnStalled(int seconds);
}

/// <summary>
/// Acts against a client that does not read its answers: the answers are held back, or the node pauses reading from the client, and a
/// client that does not read at all is disconnected. The timer serves the disconnect.
/// </summary>
internal sealed class SlowReader(MessageConnection connection, ISlowClient client) : WheelTimer
{
    /// <summary>
    /// Unsent answers from which on answers are held back although the socket has not been offered them yet: about as many bytes as a
    /// socket buffers.
    /// </summary>
    private const long HighOutputBytes = 1 << 20;

    /// <summary>Unsent answers at which a channel that cannot be held back fails: two messages of the largest size.</summary>
    private const long MaxOutputBytes = 128L << 20;

    /// <summary>Longer than any hiccup of a network, shorter than a user's patience with an occupied slave.</summary>
    private const int StallSeconds = 60;

    /// <summary>The channel of a slave that is held back as a whole.</summary>
    private const ulong Whole = 0;

    private List<(IJobRunner Slave, ulong Channel)>? _held; // wait for this client to read; their jobs may have ended
    private long _sent;         // bytes sent when the watch began; valid while the timer is armed

    /// <summary>Reading is paused until the client has read its answers.</summary>
    public bool PausesReading { get; private set; }

    /// <summary>A part of a job's answer was written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void OnChunk(Job job)
    {
        if (connection.Output.PendingBytes > FlowControl.HighBytes)
        {
            OnManyUnsent(job);
        }
    }

    /// <summary>
    /// The client has begun another call, or the node itself has answered a message: nothing can be held back for a client that sends more
    /// and does not read.
    /// </summary>
    public void OnMore()
    {
        if (connection.Output.PendingBytes > HighOutputBytes && !PausesReading && connection.IsOpen)
        {
            PausesReading = true;
            connection.PauseReading();
            Watch();
        }
    }

    /// <summary>A part of an answer was written that the client had held. The job is null when it has ended.</summary>
    public void OnLeft(Job? job)
    {
        if (job is null)
        {
            OnMore();
        }
        else
        {
            OnChunk(job);
        }
    }

    /// <summary>The client has read all its answers.</summary>
    public void OnSent()
    {
        if (PausesReading)
        {
            PausesReading = false;
            connection.Loop.Patience.Cancel(this);
            client.Resume();
        }

        if (_held is { Count: > 0 })
        {
            connection.Loop.Patience.Cancel(this);
            ReleaseSlaves();
        }
    }

    public void ReleaseSlaves()
    {
        while (_held is { Count: > 0 })
        {
            (IJobRunner slave, ulong channel) = _held[^1];
            _held.RemoveAt(_held.Count - 1);
            slave.LetGo(channel); // the slave sends its answers again later in the turn, not here
        }
    }

    /// <summary>The time is over: the client is disconnected unless it has read some bytes meanwhile.</summary>
    public override void OnDue(long nowMs)
    {
        if (connection.Output.SentBytes > _sent)
        {
            Watch();
            return;
        }

        client.OnStalled(StallSeconds);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OnManyUnsent(Job job)
    {
        // A client that reads takes all of it at the end of this turn, unless its socket is full.
        if (!connection.IsSendBlocked && connection.Output.PendingBytes <= HighOutputBytes)
        {
            return;
        }

        bool isHeld = job.AnswerHeld || TryHold(job);
        if (connection.Output.PendingBytes > MaxOutputBytes && (!isHeld || job.AnswerHeld))
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the client reads its answers too slowly");
        }
    }

    private bool TryHold(Job job)
    {
        if (job.Runner is not { } slave)
        {
            return true;
        }

        if (_held?.Contains((slave, Whole)) != true)
        {
            if (!slave.HoldBack(job.SlaveChannel))
            {
                return false;
            }

            (_held ??= []).Add((slave, job.AnswerHeld ? job.SlaveChannel : Whole));
            if (!IsArmed)
            {
                Watch();
            }
        }

        return true;
    }

    private void Watch()
    {
        _sent = connection.Output.SentBytes;
        connection.Loop.Patience.Arm(this, connection.Loop.ListenedMs + (StallSeconds * 1000));
    }
}
