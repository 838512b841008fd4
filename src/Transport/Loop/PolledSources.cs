namespace Cocaine.Fast.Transport.Loop;

/// <summary>The busy rings of a loop, which it looks at on each turn until they park.</summary>
internal sealed class PolledSources
{
    private readonly List<PolledSource> _sources = [];

    public void Add(PolledSource source)
    {
        if (!source.Polled)
        {
            source.Polled = true;
            _sources.Add(source);
        }
    }

    public void PollAll()
    {
        for (int i = _sources.Count - 1; i >= 0; i--)
        {
            if (!_sources[i].Poll())
            {
                RemoveAt(i);
            }
        }
    }

    /// <summary>Parks every busy ring; those that park are woken by their bell and added again. False when one is busy still.</summary>
    public bool TryParkAll()
    {
        bool parked = true;
        for (int i = _sources.Count - 1; i >= 0; i--)
        {
            if (_sources[i].TryPark())
            {
                RemoveAt(i);
            }
            else
            {
                parked = false;
            }
        }

        return parked;
    }

    private void RemoveAt(int index)
    {
        _sources[index].Polled = false;
        _sources[index] = _sources[^1];
        _sources.RemoveAt(_sources.Count - 1);
    }
}
