namespace Cocaine.Fast.Core.Slaves;

/// <summary>Whether a slave's answers are read: not while its only caller is slower than the slave is.</summary>
internal struct AnswerHold
{
    private int _holders; // callers that hold the answers back

    /// <summary>The slave's answers are not read.</summary>
    public readonly bool IsHeldBack => _holders > 0;

    /// <summary>
    /// When the answers were read again last, ms of the loop's listened time; 0 when they always were. Valid while they are not held back.
    /// </summary>
    public long ReleasedMs { get; private set; }

    /// <summary>Another caller holds the answers back; true when it is the first.</summary>
    public bool Add() => _holders++ == 0;

    /// <summary>A caller holds the answers back no longer; true when it was the last.</summary>
    public bool Remove(long listenedMs)
    {
        if (_holders == 0 || --_holders > 0)
        {
            return false;
        }

        ReleasedMs = listenedMs;
        return true;
    }
}
