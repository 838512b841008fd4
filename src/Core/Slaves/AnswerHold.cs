namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Says whether the node reads a slave's answers. The node stops reading them while the slave's only caller is slower than the slave.
/// </summary>
internal struct AnswerHold
{
    private int _holders; // callers that hold the answers back now

    /// <summary>The node does not read the slave's answers.</summary>
    public readonly bool IsHeldBack => _holders > 0;

    /// <summary>
    /// The time at which the node began to read the answers again, ms of the loop's listened time; 0 when it never stopped. Valid while the
    /// answers are not held back.
    /// </summary>
    public long ReleasedMs { get; private set; }

    /// <summary>Counts another caller that holds the answers back; true when it is the first.</summary>
    public bool Add() => _holders++ == 0;

    /// <summary>A caller no longer holds the answers back; true when it was the last one.</summary>
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
