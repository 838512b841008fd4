using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Backends.Rings;

/// <summary>The node's view of the words about begun jobs, until the slave begins nothing any more. Lives on the loop.</summary>
/// <remarks>Safety: the memory of the words must live until <see cref="Stop"/>.</remarks>
internal sealed class BegunJobs(Slave slave, BeginWords words)
{
    private bool _stopped;
    private ulong _begunAtStop;  // valid once stopped

    /// <inheritdoc cref="SlaveLink.TellsBegun"/>
    public bool AreTold => !_stopped && words.AreKept;

    /// <summary>A worker that keeps no words may have begun everything, once it has sent its first message.</summary>
    public ulong Last => _stopped ? _begunAtStop : Settled(words.Begun);

    /// <inheritdoc cref="SlaveLink.BeginRecall"/>
    public int BeginRecall(out ulong begun) => words.BeginRecall(out begun);

    /// <summary>
    /// The worker begins nothing any more, though it may live on: it sees a recall that never comes. The jobs that it has begun by now are
    /// settled, and the words are not looked at again.
    /// </summary>
    public void Stop()
    {
        if (!_stopped)
        {
            _ = BeginRecall(out ulong begun);
            _begunAtStop = Settled(begun);
            _stopped = true;
        }
    }

    private ulong Settled(ulong begun) => begun != 0 ? begun : slave.HasBeaten ? ulong.MaxValue : MessageWriter.ControlChannel;
}
