using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// Acts against a client that does not read its answers: slaves are held back, or the node pauses reading from the client, and a client
/// that does not read at all is disconnected. The timer serves the disconnect.
/// </summary>
internal sealed class SlowReader(NativeConnection connection) : WheelTimer
{
    /// <summary>
    /// Unsent answers from which on slaves are held back: about as many bytes as a socket buffers, so that the wire never runs dry.
    /// </summary>
    private const long HighOutputBytes = 1 << 20;

    /// <summary>Unsent answers at which a channel that cannot be held back fails: two messages of the largest size.</summary>
    private const long MaxOutputBytes = 128L << 20;

    /// <summary>Longer than any hiccup of a network, shorter than a user's patience with an occupied slave.</summary>
    private const int StallSeconds = 60;

    private List<IJobRunner>? _held; // slaves that wait for this client to read
    private long _pending;      // unsent bytes when the watch began; valid while the timer is armed

    /// <summary>Reading is paused until the client has read its answers.</summary>
    public bool PausesReading { get; private set; }

    /// <summary>A part of a job's answer was written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void OnChunk(Job job)
    {
        if (connection.Output.PendingBytes > HighOutputBytes)
        {
            HoldBack(job);
        }
    }

    /// <summary>The node itself has answered a message: no slave can be held back for a client that sends more and does not read.</summary>
    public void OnAnswered()
    {
        if (connection.Output.PendingBytes > HighOutputBytes && !PausesReading && connection.IsOpen)
        {
            PausesReading = true;
            connection.PauseReading();
            Watch();
        }
    }

    /// <summary>The client has read all its answers.</summary>
    public void OnSent()
    {
        if (PausesReading)
        {
            PausesReading = false;
            connection.Loop.Patience.Cancel(this);
            connection.Resume();
        }

        if (_held is { Count: > 0 })
        {
            connection.Loop.Patience.Cancel(this);
            ReleaseSlaves();
        }
    }

    public void ReleaseSlaves()
    {
        if (_held is null)
        {
            return;
        }

        while (_held.Count > 0)
        {
            IJobRunner slave = _held[^1];
            _held.RemoveAt(_held.Count - 1);
            slave.LetGo(); // the slave sends its answers again later in the turn, not here
        }
    }

    /// <summary>The time is over: the client is disconnected unless it has read some bytes meanwhile.</summary>
    public override void OnDue(long nowMs)
    {
        if (connection.Output.PendingBytes < _pending)
        {
            Watch();
            return;
        }

        NativeServer server = connection.Server;
        NativeLog.Stalled(server.Context.Log, server.Context.Engine.Name, server.Context.Task.Name, connection.PeerName, StallSeconds);
        connection.Close("the client does not read its answers");
    }

    private void HoldBack(Job job)
    {
        IJobRunner? slave = job.Runner;
        if (slave is null || _held?.Contains(slave) == true)
        {
            return;
        }

        if (slave.HoldBack())
        {
            (_held ??= []).Add(slave);
            Watch();
        }
        else if (connection.Output.PendingBytes > MaxOutputBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the client reads its answers too slowly");
        }
    }

    private void Watch()
    {
        _pending = connection.Output.PendingBytes;
        connection.Loop.Patience.Arm(this, connection.Loop.ListenedMs + (StallSeconds * 1000));
    }
}
