namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// The numbers of openings that were used and that could be used again, until their time has passed. With a file they outlive the node.
/// One thread at a time.
/// </summary>
internal sealed class OpeningMemory
{
    private readonly Dictionary<UInt128, Used> _used = [];
    private readonly Stack<int> _freeSlots = new();
    private readonly OpeningFile? _file;
    private long _nextSweepS;
    private int _slots; // of the file; the later ones were never used

    /// <summary>Remembers nothing yet, and nothing after its end.</summary>
    public OpeningMemory()
    {
    }

    /// <summary>Remembers the numbers of the file, and writes new ones to it. The owner of the file closes it.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public OpeningMemory(OpeningFile file)
    {
        _file = file;
        foreach ((int slot, UInt128 number, long ends) in file.Read())
        {
            _slots = slot + 1;
            if (!_used.TryAdd(number, new Used(ends, slot)))
            {
                _freeSlots.Push(slot);
            }
        }
    }

    /// <summary>Numbers that are remembered.</summary>
    public int Count => _used.Count;

    /// <summary>Remembers an opening. The result says when it was used before, or that there is no room.</summary>
    /// <param name="number">The number of the opening.</param>
    /// <param name="endsS">The second from which on nobody can use it.</param>
    /// <param name="nowS">The time, in seconds since 1970.</param>
    /// <param name="isDurable">With a file: waits for the disk, so that the number is there after a loss of power too.</param>
    /// <exception cref="IOException">The number cannot be written: then it is not remembered, and must not be used.</exception>
    public SealFault Add(UInt128 number, long endsS, long nowS, bool isDurable = false)
    {
        if (_used.ContainsKey(number))
        {
            return SealFault.Replayed;
        }

        if (nowS >= _nextSweepS || _used.Count >= SealLimits.MaxOpenings)
        {
            Sweep(nowS);
        }

        if (_used.Count >= SealLimits.MaxOpenings)
        {
            return SealFault.Full;
        }

        _used.Add(number, new Used(endsS, Write(number, endsS, isDurable)));
        return SealFault.None;
    }

    private int Write(UInt128 number, long endsS, bool isDurable)
    {
        if (_file is null)
        {
            return 0;
        }

        int slot = _freeSlots.TryPeek(out int free) ? free : _slots;
        _file.Write(slot, number, endsS, isDurable);
        if (slot == _slots)
        {
            _slots++;
        }
        else
        {
            _freeSlots.Pop();
        }

        return slot;
    }

    private void Sweep(long nowS)
    {
        if (nowS == _nextSweepS - 1)
        {
            return; // this second's sweep is done: a full memory is not walked for each opening
        }

        _nextSweepS = nowS + 1;
        foreach ((UInt128 number, Used used) in _used)
        {
            if (used.EndsS < nowS)
            {
                _used.Remove(number); // removing is allowed while walking
                if (_file is not null)
                {
                    _freeSlots.Push(used.Slot);
                }
            }
        }
    }

    /// <param name="EndsS">The second from which on the opening's time has passed.</param>
    /// <param name="Slot">The slot of the file.</param>
    private readonly record struct Used(long EndsS, int Slot);
}
