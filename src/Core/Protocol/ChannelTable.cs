using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The open channels of one connection by their numbers. Numbers only grow and most channels are short, so the low bits of a number are its
/// place in an array. A few channels find their place taken, because another channel stays open or because a peer picks its numbers to
/// collide; these channels go to a dictionary.
/// </summary>
internal sealed class ChannelTable<T>
    where T : class
{
    private const int FirstSlots = 8;

    /// <summary>Beyond this number a connection uses the dictionary's memory, which shrinks with its content.</summary>
    private const int MaxSlots = 1 << 16;

    private static readonly Slot[] Empty = new Slot[1]; // never written: an idle connection has no array of its own

    private Slot[] _slots = Empty;
    private Dictionary<ulong, T>? _others;

    public int Count { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(ulong number, [NotNullWhen(true)] out T? value)
    {
        ref Slot slot = ref SlotOf(number);
        value = slot.Value;
        if (slot.Number == number && value is not null)
        {
            return true;
        }

        value = null;
        return _others is not null && _others.TryGetValue(number, out value);
    }

    /// <summary>Adds a channel that is not in the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong number, T value)
    {
        ref Slot slot = ref SlotOf(number);
        if (slot.Value is not null || ReferenceEquals(_slots, Empty))
        {
            AddSlowly(number, value);
            return;
        }

        slot.Number = number;
        slot.Value = value;
        Count++;
    }

    /// <summary>Takes a channel out. False when the table does not have it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Remove(ulong number, [NotNullWhen(true)] out T? value)
    {
        ref Slot slot = ref SlotOf(number);
        value = slot.Value;
        if (slot.Number == number && value is not null)
        {
            slot.Value = null;
            Count--;
            return true;
        }

        value = null;
        if (_others is not null && _others.Remove(number, out value))
        {
            Count--;
            return true;
        }

        return false;
    }

    /// <summary>Takes all channels out, in the order of their numbers; allocates.</summary>
    public List<T> TakeAll()
    {
        List<T> all = ToList();
        Array.Clear(_slots);
        _others = null;
        Count = 0;
        return all;
    }

    /// <summary>All channels in the order of their numbers; allocates.</summary>
    public List<T> ToList()
    {
        List<(ulong Number, T Value)> found = new(Count);
        foreach (Slot slot in _slots)
        {
            if (slot.Value is not null)
            {
                found.Add((slot.Number, slot.Value));
            }
        }

        found.AddRange((_others ?? []).Select(pair => (pair.Key, pair.Value)));
        found.Sort((a, b) => a.Number.CompareTo(b.Number));
        return found.ConvertAll(pair => pair.Value);
    }

    private ref Slot SlotOf(ulong number) => ref _slots[(int)(number & (ulong)(_slots.Length - 1))];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddSlowly(ulong number, T value)
    {
        // Twice as many slots as channels keep collisions rare; more slots would only take memory.
        while (_slots.Length < MaxSlots && _slots.Length < Math.Max(FirstSlots, 2 * (Count + 1)))
        {
            Grow();
        }

        Count++;
        ref Slot slot = ref SlotOf(number);
        if (slot.Value is null)
        {
            slot.Number = number;
            slot.Value = value;
        }
        else
        {
            (_others ??= []).Add(number, value);
        }
    }

    private void Grow()
    {
        Slot[] before = _slots;
        _slots = new Slot[Math.Max(FirstSlots, before.Length * 2)];
        foreach (Slot slot in before)
        {
            if (slot.Value is not null)
            {
                SlotOf(slot.Number) = slot; // more bits tell the numbers apart: a channel with a slot of its own keeps one
            }
        }
    }

    private struct Slot
    {
        public ulong Number;
        public T? Value;    // null when the slot is free
    }
}
