using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Backends.Rings;

/// <summary>Waits until a slave has read what is in its ring of requests, and tells <see cref="RequestPressure"/>.</summary>
/// <param name="loop">The engine's loop.</param>
/// <param name="slave">The slave.</param>
/// <param name="requests">The ring's writing end.</param>
internal sealed class ReadWait(EventLoop loop, Slave slave, ByteRingWriter requests) : TurnTask
{
    private ReadStage _stage;
    private long _mark; // the slave has read enough when it has read up to here; valid in Waiting

    private enum ReadStage
    {
        /// <summary>Nobody asks.</summary>
        None,

        /// <summary>Somebody asks, and what was written is not all in the ring.</summary>
        Asked,

        /// <summary>The slave reads.</summary>
        Waiting,

        /// <summary>The slave has read, and it is told at the end of this turn.</summary>
        Read,

        /// <summary>The ring is not touched any more.</summary>
        Stopped,
    }

    /// <summary>Somebody asks. A mark that is waited for already comes soon enough, and is not put off.</summary>
    public void Ask() => _stage = _stage == ReadStage.None ? ReadStage.Asked : _stage;

    /// <summary>All that was written is in the ring, and published. True when the slave has read it by now: no bell will tell.</summary>
    public bool OnPublished()
    {
        if (_stage != ReadStage.Asked)
        {
            return false;
        }

        _stage = ReadStage.Waiting;
        _mark = requests.PublishedMark;
        return IsRead();
    }

    /// <summary>The slave rang.</summary>
    public void OnBell()
    {
        if (_stage == ReadStage.Waiting && IsRead())
        {
            _stage = ReadStage.Read;
            loop.ScheduleBell(this); // after the answers of this turn: the slave may ask to hold
        }
    }

    public void Stop() => _stage = ReadStage.Stopped;

    /// <inheritdoc/>
    public override void OnTurnEnd()
    {
        if (_stage == ReadStage.Read)
        {
            _stage = ReadStage.None;
            slave.Pressure.OnRead(slave, slave.Link);
        }
    }

    /// <summary>False when the slave rings once it has read more.</summary>
    private bool IsRead()
    {
        while (!requests.HasRead(_mark))
        {
            if (requests.TryWaitForRoom())
            {
                return false;
            }
        }

        return true;
    }
}
