namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// The counters of a direction that were seen, as in RFC 6479: 1,024 counters below the highest one may come in any order, each once. A
/// ring of words slides without shifting bits.
/// </summary>
internal struct ReplayWindow
{
    /// <summary>Counters that may come late: more than the calls that a connection has on the way at the same time, as a rule.</summary>
    public const int Size = 1024;

    private const int WordBits = 64, Words = (Size / WordBits) + 1; // one word more: the one that is filled now

    private readonly ulong[] _words = new ulong[Words];
    private ulong _highest;

    public ReplayWindow()
    {
    }

    /// <summary>The counter was not seen, and is not below the window. Counters begin at 1.</summary>
    public readonly bool IsNew(ulong counter) =>
        counter > _highest || (counter != 0 && _highest - counter < Size && (_words[WordOf(counter)] & BitOf(counter)) == 0);

    /// <summary>Marks a counter that is new.</summary>
    public void Add(ulong counter)
    {
        if (counter > _highest)
        {
            ulong steps = Math.Min((counter / WordBits) - (_highest / WordBits), Words);
            for (ulong step = 1; step <= steps; step++)
            {
                _words[(int)(((_highest / WordBits) + step) % Words)] = 0;
            }

            _highest = counter;
        }

        _words[WordOf(counter)] |= BitOf(counter);
    }

    private static int WordOf(ulong counter) => (int)(counter / WordBits % Words);

    private static ulong BitOf(ulong counter) => 1UL << (int)(counter % WordBits);
}
