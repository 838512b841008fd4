using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Gives jobs to slaves ahead of their turn: when no slave has room, each slave gets as many as it ends in a moment, so that it need not
/// wait for the node between two jobs. And takes them back from a slave that stands still while another one has nothing to do.
/// </summary>
internal sealed class AheadPlacing(EngineScope scope, SlaveRoster roster, SlavePool pool, IPoolOwner owner) : WheelTimer
{
    private int _next;  // the slave that is looked at first: each gets its share

    /// <summary>Places jobs that wait, as many as slaves take.</summary>
    public void Place()
    {
        while (MayPlace && FindSlave() is { } slave && owner.TryTakeAhead(out Job? job))
        {
            if (job is not null)
            {
                slave.Ahead.Place(job);
            }
        }
    }

    /// <summary>
    /// Gives jobs that cannot stand ahead to slaves with room, also to slaves that sleep: all that wait when the queue is full, or the
    /// first ones when their requests are not whole.
    /// </summary>
    public void Wake(bool isFull)
    {
        if (isFull && scope.Queue.Suspects.Count > 0)
        {
            pool.Feed(); // suspects have their turn, and the others the rest
        }

        while (scope.Queue.Suspects.Count == 0 && scope.Queue.Usual > 0 && (isFull || !owner.IsNextWhole) && roster.Pick() is { } slave)
        {
            if (owner.TakeNext() is { } job)
            {
                slave.Run(job);
            }

            Place();
        }
    }

    /// <summary>Gives a slave that has ended a job what it may have ahead.</summary>
    public void Refill(Slave slave)
    {
        if (!slave.Ahead.IsLow || !pool.Cores.Allows(slave))
        {
            return;
        }

        while (MayPlace && slave.CanTakeAhead && owner.TryTakeAhead(out Job? job))
        {
            if (job is not null)
            {
                slave.Ahead.Place(job);
            }
        }
    }

    /// <summary>
    /// A slave has nothing to do, and no job waits in the node's hand: it gets half of the jobs of one that stands still. When none does by
    /// now, but one may soon, it is looked for again.
    /// </summary>
    /// <returns>True when jobs wait for it now.</returns>
    public bool Help(Slave idle)
    {
        bool mayBe = false;
        int count = Math.Min(roster.Slaves.Length, EngineLimits.SlavesLookedAt);
        for (int i = 0; i < count; i++)
        {
            Slave slave = Next();
            if (slave == idle || slave.State != SlaveState.Busy)
            {
                continue;
            }

            if (!slave.Ahead.IsStuck(scope.Loop.NowNs))
            {
                mayBe |= slave.Ahead.HasUnbegun; // else the node would look each millisecond for as long as jobs run side by side
            }
            else if (slave.Ahead.TakeBackUnbegun(onlyHalf: true) > 0)
            {
                return true;
            }
        }

        if (mayBe && !IsArmed)
        {
            scope.Loop.Timers.Arm(this, scope.Loop.NowMs + EngineLimits.MostStandingMs);
        }

        return false;
    }

    /// <summary>A slave with an event loop is ready: when no job waits in the node's hand, it takes over jobs behind others.</summary>
    public void Welcome(Slave slave)
    {
        if (scope.IsConcurrencyWished && scope.Queue.Unplaced == 0 && slave.State == SlaveState.Idle && Help(slave))
        {
            pool.OnTakenBack();
        }
    }

    /// <summary>
    /// A request of the slave is whole, and another slave has nothing to do: it may have the job if this one does not begin it soon.
    /// </summary>
    public void OnWhole(Slave slave)
    {
        if (!IsArmed && slave.Ahead.HasUnbegun)
        {
            scope.Loop.Timers.Arm(this, scope.Loop.NowMs + EngineLimits.MostStandingMs);
        }
    }

    /// <summary>
    /// An urgent job is whole and no slave has room: it stands before all others on the slave that has most of them ahead.
    /// </summary>
    public void PlaceUrgent()
    {
        Slave? most = null;
        int count = Math.Min(roster.Slaves.Length, EngineLimits.SlavesLookedAt);
        for (int i = 0; i < count; i++)
        {
            Slave slave = Next();
            if (slave.Ahead.Count > (most?.Ahead.Count ?? 0))
            {
                most = slave;
            }
        }

        if (MayPlace && most?.Ahead.TakeBack() > 0)
        {
            Refill(most);
        }

        Place();
    }

    /// <summary>A slave had nothing to do while others had several jobs.</summary>
    public override void OnDue(long nowMs)
    {
        if (scope.Queue.Unplaced == 0 && roster.Pick() is { State: SlaveState.Idle } idle && Help(idle))
        {
            pool.OnTakenBack();
        }
    }

    private bool MayPlace => scope.Queue.Usual > 0 && scope.Queue.Suspects.Count == 0 && pool.Pick() is null;

    private Slave? FindSlave()
    {
        int count = Math.Min(roster.Slaves.Length, EngineLimits.SlavesLookedAt);
        for (int i = 0; i < count; i++)
        {
            if (Next() is { CanTakeAhead: true } slave && pool.Cores.Allows(slave))
            {
                return slave;
            }
        }

        return null;
    }

    private Slave Next()
    {
        _next = _next + 1 < roster.Slaves.Length ? _next + 1 : 0;
        return roster.Slaves[_next];
    }
}
