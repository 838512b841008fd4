namespace Cocaine.Fast.Cluster.Tests.Simulation;

/// <summary>One key of an engine that forgets: compare-and-set, and at any time an older state or none.</summary>
internal sealed class SimEngine<T>
    where T : class
{
    private readonly List<(T? Record, ulong Revision)> _history = [(null, 0)];

    public T? Record => _history[^1].Record;

    public ulong Revision => _history[^1].Revision;

    /// <summary>One more each time the engine came back: connections and writes of an older life are gone.</summary>
    public int Life { get; private set; }

    /// <summary>Whether the record was written.</summary>
    public bool Write(T record, ulong revision)
    {
        if (revision != Revision)
        {
            return false;
        }

        Put(record);
        return true;
    }

    /// <summary>A write that looks at no revision: only a sabotage does that.</summary>
    public void Put(T record) => _history.Add((record, Revision + 1));

    /// <summary>The engine comes back without its last write.</summary>
    public void ForgetLast()
    {
        Life++;
        _history.RemoveAt(_history.Count - 1);
    }

    /// <summary>The engine comes back with the state of some writes ago, or with nothing.</summary>
    public void Forget(SimRandom random)
    {
        Life++;
        int kept = random.Chance(50) ? 1 : Math.Max(1, _history.Count - random.Between(1, 3));
        _history.RemoveRange(kept, _history.Count - kept);
    }
}
