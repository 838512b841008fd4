namespace Cocaine.Fast.Core.Monitoring;

/// <summary>
/// The counts of an engine's refusals, decisions and ends of slaves, by their reasons. Only the loop's thread writes them.
/// </summary>
internal sealed class ReasonCounters
{
    private static readonly int Refusals = Enum.GetValues<RefusalReason>().Length;
    private static readonly int Ends = Enum.GetValues<SlaveEnd>().Length;
    private static readonly int Decisions = Enum.GetValues<PoolDecision>().Length;

    private readonly ulong[] _refused = new ulong[Refusals];
    private readonly ulong[] _ended = new ulong[Ends];
    private readonly ulong[] _decided = new ulong[Decisions];

    private bool _isShared; // the histogram is that of another engine, and only read here

    /// <summary>The times from the launch of a slave until it was ready. In a copy it may go on counting.</summary>
    public LatencyHistogram Starts { get; private set; } = new(sparse: true);

    /// <summary>Jobs refused for a reason.</summary>
    public ulong this[RefusalReason reason] => _refused[(int)reason];

    /// <summary>Slaves that ended for a reason.</summary>
    public ulong this[SlaveEnd end] => _ended[(int)end];

    /// <summary>How often a pool decided so.</summary>
    public ulong this[PoolDecision decision] => _decided[(int)decision];

    public void Count(RefusalReason reason) => _refused[(int)reason]++;

    public void Count(SlaveEnd end) => _ended[(int)end]++;

    public void Count(PoolDecision decision) => _decided[(int)decision]++;

    /// <summary>Adds the counts of another engine.</summary>
    public void Add(ReasonCounters other)
    {
        Add(_refused, other._refused);
        Add(_ended, other._ended);
        Add(_decided, other._decided);
        if (Starts.Count == 0)
        {
            (Starts, _isShared) = (other.Starts, true);
            return;
        }

        Starts = _isShared ? Starts.Copy() : Starts;
        _isShared = false;
        Starts.Merge(other.Starts);
    }

    private static void Add(ulong[] sums, ulong[] others)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] += others[i];
        }
    }
}
