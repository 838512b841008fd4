using System.Collections.Immutable;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// The slaves of an app that are not dead: how many are in each state, which is least busy, and how many more may be launched.
/// </summary>
internal sealed class SlaveRoster
{
    private readonly EngineScope _scope;
    private readonly ISlaveBackend _backend;
    private readonly ISlaveOwner _owner;
    private readonly SlaveLevels _levels;
    private readonly int[] _byState = new int[Enum.GetValues<SlaveState>().Length];
    private int _retired;      // retired slaves that have not been told to end yet: they are Busy, or Idle for a moment

    /// <param name="scope">The parts of the engine that slaves use.</param>
    /// <param name="backend">Launches slaves.</param>
    /// <param name="owner">Hears the events of slaves.</param>
    public SlaveRoster(EngineScope scope, ISlaveBackend backend, ISlaveOwner owner)
    {
        _scope = scope;
        _backend = backend;
        _owner = owner;
        _levels = new SlaveLevels(Math.Max(scope.Settings.Concurrency, EngineLimits.MostWishedConcurrency));
        Minimum = scope.Settings.PoolMinimum;
        Limit = scope.Settings.PoolLimit;
    }

    /// <summary>
    /// The slaves that are not dead, in the order of their launches. Jobs look at them, and launches and deaths are rare: a loop over this
    /// allocates nothing, and sees the slaves that lived when it began.
    /// </summary>
    public ImmutableArray<Slave> Slaves { get; private set; } = [];

    /// <summary>Slaves that are kept warm: the manifest's number until <see cref="SetBounds"/>.</summary>
    public int Minimum { get; private set; }

    /// <summary>The most slaves: the manifest's number until <see cref="SetBounds"/>.</summary>
    public int Limit { get; private set; }

    /// <summary>Slaves that are not dead.</summary>
    public int Total => Slaves.Length;

    public int Starting => _byState[(int)SlaveState.Starting];

    public int Idle => _byState[(int)SlaveState.Idle];

    public int Busy => _byState[(int)SlaveState.Busy];

    /// <summary>Slaves that are ready, including slaves that get no more jobs.</summary>
    public int Ready => Idle + Busy;

    /// <summary>Slaves that get no more jobs and finish their last ones, or that were told to end.</summary>
    public int Leaving => _retired + _byState[(int)SlaveState.Draining];

    /// <summary>Slaves that are ready and get jobs.</summary>
    public int Working => Ready - _retired;

    /// <summary>The slave whose replacement has been launched; null when there is none. Only the recycler uses it.</summary>
    public Slave? Replaced { get; set; }

    /// <summary>The replacement of <see cref="Replaced"/>; null when there is none. Only the recycler sets it.</summary>
    public Slave? Replacement { get; set; }

    /// <summary>
    /// Slaves as the bounds count them. Leaving slaves do not count, because their jobs may take long and other slaves need the place. A
    /// slave that is being replaced counts as one with its replacement.
    /// </summary>
    public int Standing => Total - Leaving
        - (Replaced is { IsRetired: false, IsEnding: false } && Replacement is { State: not SlaveState.Draining } ? 1 : 0);

    /// <summary>Slaves that may be launched within the limit. When too many slaves leave, the pool waits for them.</summary>
    public int FreePlaces => Math.Min(Limit - Standing, Limit + MostLeaving - Total);

    /// <summary>
    /// The most slaves that may be leaving while other slaves have their places: one for each place. So the pool never has more than twice
    /// its limit, and a replacement.
    /// </summary>
    public int MostLeaving => Limit;

    /// <summary>The number of the slave that was launched last.</summary>
    public ulong LastGeneration { get; private set; }

    /// <summary>The least loaded slave with room, or null.</summary>
    public Slave? Pick() => _levels.Least();

    /// <summary>A slave's load has changed, or whether the slave may get jobs.</summary>
    public void Moved(Slave slave) => _levels.Place(slave);

    /// <summary>A slave is about to go to another state.</summary>
    public void Count(Slave slave, SlaveState to)
    {
        SlaveState from = slave.State;
        _byState[(int)from]--;
        _byState[(int)to]++;
        if (slave.IsRetired && from != SlaveState.Draining && to is SlaveState.Draining or SlaveState.Dead)
        {
            _retired--;
        }
    }

    /// <summary>A busy slave was retired: it gets no more jobs.</summary>
    public void OnRetired() => _retired++;

    /// <summary>Other bounds hold from now on.</summary>
    public void SetBounds(int minimum, int limit)
    {
        if (limit < Standing)
        {
            _scope.Counters.Reasons.Count(PoolDecision.ShrinkToLimit);
        }

        Minimum = minimum;
        Limit = limit;
    }

    /// <summary>Launches one slave. A launch that fails in any way is a failed start.</summary>
    public Slave LaunchOne()
    {
        Slave slave = new(_scope, _owner, ++LastGeneration);
        Slaves = Slaves.Add(slave);
        _byState[(int)SlaveState.Starting]++;
        _scope.Counters.SlavesStarted++;
        try
        {
            slave.OnLaunched(_backend.Launch(slave));
        }
        catch (Exception failure)
        {
            slave.OnLaunchFailed(failure.Message);
        }

        return slave;
    }

    /// <summary>A slave is dead.</summary>
    public void Remove(Slave slave)
    {
        _levels.Remove(slave);
        Slaves = Slaves.Remove(slave);
        _byState[(int)SlaveState.Dead]--;
        _scope.Counters.Reasons.Count(slave.End ?? SlaveEnd.Exit);
    }
}
