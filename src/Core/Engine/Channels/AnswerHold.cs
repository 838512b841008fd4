namespace Cocaine.Fast.Core.Engine.Channels;

/// <summary>Whether a slave's answers are read: not while its only caller is slower than it is.</summary>
internal sealed class AnswerHold(Slave slave)
{
    private int _holders; // callers that hold the answers back

    /// <summary>Its answers are not read.</summary>
    public bool IsHeldBack => _holders > 0;

    /// <summary>
    /// When they were read again last, ms of the loop's listened time; 0 when they always were. Valid while it is not held.
    /// </summary>
    public long ReleasedMs { get; private set; }

    /// <summary>
    /// A caller is slower than this slave. When it is the only one, the slave itself is held back; else its answers are buffered.
    /// </summary>
    public bool HoldBack()
    {
        if (slave.Load > 1)
        {
            return false;
        }

        if (_holders++ == 0)
        {
            slave.Link.PauseReading();
            slave.Engine.Pool.Moved(slave);
        }

        return true;
    }

    /// <summary>One of those who hold it back does so no longer.</summary>
    public void LetGo()
    {
        if (_holders > 0 && --_holders == 0 && slave.State != SlaveState.Dead)
        {
            ReleasedMs = slave.Engine.Loop.ListenedMs;
            slave.OnHeardAgain();
            slave.Link.ResumeReading();
            slave.Engine.Pool.Moved(slave);
            slave.Engine.Pool.Feed();
        }
    }
}
