namespace Cocaine.Fast.Core.Engine;

/// <summary>Where a slave stands in <see cref="SlaveLevels"/>; 0 in Level means nowhere.</summary>
internal struct PoolPlace
{
    public int Level;
    public Slave? Previous;
    public Slave? Next;
}

/// <summary>
/// The slaves that have room, by load. The least loaded one is found in constant time (amortized); among equals the one used last, so that
/// the others grow idle and can retire.
/// </summary>
internal sealed class SlaveLevels(int concurrency)
{
    private readonly Slave?[] _levels = new Slave?[Math.Min(concurrency, EngineLimits.LoadLevels) + 1];
    private int _lowest = 1;

    /// <summary>Puts the slave where it belongs now.</summary>
    public void Place(Slave slave)
    {
        int level = slave.HasRoom ? Math.Min(slave.Load + 1, _levels.Length - 1) : 0;
        if (level == slave.Place.Level)
        {
            return;
        }

        Remove(slave);
        if (level == 0)
        {
            return;
        }

        Slave? first = _levels[level];
        slave.Place = new PoolPlace { Level = level, Next = first };
        if (first is not null)
        {
            first.Place.Previous = slave;
        }

        _levels[level] = slave;
        _lowest = Math.Min(_lowest, level);
    }

    public void Remove(Slave slave)
    {
        ref PoolPlace place = ref slave.Place;
        if (place.Level == 0)
        {
            return;
        }

        if (place.Previous is null)
        {
            _levels[place.Level] = place.Next;
        }
        else
        {
            place.Previous.Place.Next = place.Next;
        }

        if (place.Next is not null)
        {
            place.Next.Place.Previous = place.Previous;
        }

        place = default;
    }

    /// <summary>The least loaded slave with room, or null.</summary>
    public Slave? Least()
    {
        while (_lowest < _levels.Length)
        {
            if (_levels[_lowest] is { } slave)
            {
                return slave;
            }

            _lowest++;
        }

        return null;
    }
}
