namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// The numbers of openings that were used and that could be used again, until their time has passed. One thread at a time.
/// </summary>
internal sealed class OpeningMemory
{
    private readonly Dictionary<UInt128, long> _ends = []; // by number: the second from which on the opening's time has passed
    private long _nextSweepS;

    /// <summary>Numbers that are remembered.</summary>
    public int Count => _ends.Count;

    /// <summary>Remembers an opening. The result says when it was used before, or that there is no room.</summary>
    /// <param name="number">The number of the opening.</param>
    /// <param name="endsS">The second from which on nobody can use it.</param>
    /// <param name="nowS">The time, in seconds since 1970.</param>
    public SealFault Add(UInt128 number, long endsS, long nowS)
    {
        if (_ends.ContainsKey(number))
        {
            return SealFault.Replayed;
        }

        if (nowS >= _nextSweepS || _ends.Count >= SealLimits.MaxOpenings)
        {
            Sweep(nowS);
        }

        if (_ends.Count >= SealLimits.MaxOpenings)
        {
            return SealFault.Full;
        }

        _ends.Add(number, endsS);
        return SealFault.None;
    }

    private void Sweep(long nowS)
    {
        if (nowS == _nextSweepS - 1)
        {
            return; // this second's sweep is done: a full memory is not walked for each opening
        }

        _nextSweepS = nowS + 1;
        foreach ((UInt128 number, long ends) in _ends)
        {
            if (ends < nowS)
            {
                _ends.Remove(number); // removing is allowed while walking
            }
        }
    }
}
