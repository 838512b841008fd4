using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// The slaves with room, sorted by load. The least loaded slave is found in constant time (amortized). Among equals it is the one that was
/// used last, so that the others become idle and can retire.
/// </summary>
internal sealed class SlaveLevels(int concurrency)
{
    private readonly Slave?[] _levels = new Slave?[Math.Min(concurrency, EngineLimits.LoadLevels) + 1];
    private int _lowest = 1;

    /// <summary>Moves the slave to the level of its load.</summary>
    public void Place(Slave slave)
    {
        int level = slave.HasRoom ? Math.Min(slave.Load + 1, _levels.Length - 1) : 0;
        if (level == slave.Level)
        {
            return;
        }

        Remove(slave);
        if (level == 0)
        {
            return;
        }

        Slave? first = _levels[level];
        (slave.Level, slave.NextInLevel) = (level, first);
        if (first is not null)
        {
            first.PreviousInLevel = slave;
        }

        _levels[level] = slave;
        _lowest = Math.Min(_lowest, level);
    }

    public void Remove(Slave slave)
    {
        if (slave.Level == 0)
        {
            return;
        }

        if (slave.PreviousInLevel is null)
        {
            _levels[slave.Level] = slave.NextInLevel;
        }
        else
        {
            slave.PreviousInLevel.NextInLevel = slave.NextInLevel;
        }

        if (slave.NextInLevel is not null)
        {
            slave.NextInLevel.PreviousInLevel = slave.PreviousInLevel;
        }

        slave.Level = 0;
        slave.PreviousInLevel = slave.NextInLevel = null;
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
