using System.Numerics;

namespace Cocaine.Fast.Core.Timing;

/// <summary>
/// A hierarchical timing wheel of 1 ms ticks: arming and cancelling take constant time, and a jump of the clock steps from one occupied
/// slot to the next, never tick by tick.
/// After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987.
/// </summary>
/// <remarks>
/// Six levels of 64 slots span 2^36 ms, about two years. A later timer waits in the last level's farthest slot and is placed again when
/// that slot's turn comes. One bit for each slot says whether the slot is occupied. Only the loop's thread uses the wheel. No timer fires
/// early, and each fires once.
/// </remarks>
internal sealed class DeadlineWheel
{
    private const int Levels = 6, SlotBits = 6, Slots = 1 << SlotBits, SlotMask = Slots - 1;
    private const int FiringList = Levels * Slots;

    private readonly WheelTimer?[] _lists = new WheelTimer?[(Levels * Slots) + 1];
    private readonly ulong[] _occupied = new ulong[Levels];
    private long _nowMs;
    private bool _firing;

    public DeadlineWheel(long nowMs) => _nowMs = nowMs;

    /// <summary>The number of armed timers.</summary>
    public int Count { get; private set; }

    /// <summary>Arms a timer, or moves it when it is armed already. A timer whose time has passed fires at the next advance.</summary>
    public void Arm(WheelTimer timer, long dueMs)
    {
        Cancel(timer);
        timer.DueMs = dueMs;
        Place(timer);
        Count++;
    }

    /// <summary>Disarms a timer; a timer that is not armed stays so.</summary>
    public void Cancel(WheelTimer timer)
    {
        if (timer.TimerList >= 0)
        {
            Unlink(timer);
            Count--;
        }
    }

    /// <summary>Fires every timer that is due, earlier ones first. Timers may be armed and cancelled meanwhile.</summary>
    public void Advance(long nowMs)
    {
        while (Count > 0)
        {
            long next = NextEventMs();
            if (next > nowMs)
            {
                break;
            }

            _nowMs = Math.Max(_nowMs, next);
            CascadeAt(_nowMs);
            Fire(_nowMs, nowMs);
        }

        _nowMs = Math.Max(_nowMs, nowMs);
    }

    /// <summary>
    /// A time that is not later than the next timer's, ms; long.MaxValue when no timer is armed. Looks at one word of each level.
    /// </summary>
    public long NextDueMs(long nowMs) => Count == 0 ? long.MaxValue : Math.Max(NextEventMs(), nowMs);

    /// <summary>The first tick at which a timer is due or must move down a level.</summary>
    private long NextEventMs()
    {
        long next = long.MaxValue;
        for (int level = 0; level < Levels; level++)
        {
            if (_occupied[level] == 0)
            {
                continue;
            }

            int shift = level * SlotBits;
            long unit = _nowMs >> shift;
            int here = (int)(unit & SlotMask);

            // Slots from the present one on, in the order of their turns. On upper levels the present slot was emptied when it began, so if
            // it is occupied, its timers are a whole round away.
            ulong turned = BitOperations.RotateRight(_occupied[level], here);
            int away = BitOperations.TrailingZeroCount(turned);
            if (level > 0 && away == 0)
            {
                ulong others = turned & ~1UL;
                away = others != 0 ? BitOperations.TrailingZeroCount(others) : Slots;
            }

            next = Math.Min(next, (unit + away) << shift);
        }

        return next;
    }

    /// <summary>When an upper level's slot begins, its timers move to the places where they belong now.</summary>
    private void CascadeAt(long tick)
    {
        for (int level = Levels - 1; level > 0; level--)
        {
            int shift = level * SlotBits;
            if ((tick & ((1L << shift) - 1)) != 0)
            {
                continue;
            }

            int slot = (int)((tick >> shift) & SlotMask);
            WheelTimer? timer = Detach(level, slot);
            while (timer is not null)
            {
                WheelTimer? next = timer.NextTimer;
                timer.NextTimer = timer.PreviousTimer = null;
                timer.TimerList = -1;
                Place(timer);
                timer = next;
            }
        }
    }

    private void Fire(long tick, long nowMs)
    {
        WheelTimer? first = Detach(0, (int)(tick & SlotMask));
        if (first is null)
        {
            return;
        }

        // The list has a number of its own while it fires, so that a callback can cancel timers that are still in it.
        _lists[FiringList] = first;
        for (WheelTimer? timer = first; timer is not null; timer = timer.NextTimer)
        {
            timer.TimerList = FiringList;
        }

        while (_lists[FiringList] is { } due)
        {
            Unlink(due);
            Count--;
            _firing = true;
            try
            {
                due.OnDue(nowMs);
            }
            finally
            {
                _firing = false;
            }
        }
    }

    private WheelTimer? Detach(int level, int slot)
    {
        int list = (level * Slots) + slot;
        WheelTimer? first = _lists[list];
        _lists[list] = null;
        _occupied[level] &= ~(1UL << slot);
        return first;
    }

    private void Place(WheelTimer timer)
    {
        // A timer that a callback arms for a past time waits a tick; otherwise the advance would never end.
        long due = Math.Max(timer.DueMs, _firing ? _nowMs + 1 : _nowMs);
        long away = due - _nowMs;
        int level = away < Slots ? 0 : Math.Min((63 - BitOperations.LeadingZeroCount((ulong)away)) / SlotBits, Levels - 1);
        int shift = level * SlotBits;
        long unit = due >> shift;
        long here = _nowMs >> shift;
        if (unit - here >= Slots)
        {
            // The first slot is partly over and pushes the last one out of the round; or the timer is due after two years.
            unit = here + SlotMask;
            if (level < Levels - 1)
            {
                level++;
                shift += SlotBits;
                unit = due >> shift;
            }
        }

        int slot = (int)(unit & SlotMask);
        int list = (level * Slots) + slot;
        timer.TimerList = list;
        timer.PreviousTimer = null;
        timer.NextTimer = _lists[list];
        if (timer.NextTimer is not null)
        {
            timer.NextTimer.PreviousTimer = timer;
        }

        _lists[list] = timer;
        _occupied[level] |= 1UL << slot;
    }

    private void Unlink(WheelTimer timer)
    {
        int list = timer.TimerList;
        if (timer.PreviousTimer is null)
        {
            _lists[list] = timer.NextTimer;
            if (timer.NextTimer is null && list < FiringList)
            {
                _occupied[list / Slots] &= ~(1UL << (list & SlotMask));
            }
        }
        else
        {
            timer.PreviousTimer.NextTimer = timer.NextTimer;
        }

        if (timer.NextTimer is not null)
        {
            timer.NextTimer.PreviousTimer = timer.PreviousTimer;
        }

        timer.NextTimer = timer.PreviousTimer = null;
        timer.TimerList = -1;
    }
}
