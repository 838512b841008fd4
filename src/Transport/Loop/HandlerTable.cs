namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Handlers by slot. The epoll data is slot and generation, so that an event for a handler that went away in the same turn reaches nobody.
/// </summary>
internal sealed class HandlerTable
{
    /// <summary>The data of the loop's own doorbell.</summary>
    public const ulong WakeData = ulong.MaxValue;

    private readonly Stack<int> _free = new();
    private LoopHandler?[] _handlers = new LoopHandler?[64];
    private uint[] _generations = new uint[64];
    private int _used;

    public ulong Add(LoopHandler handler)
    {
        int slot = _free.Count > 0 ? _free.Pop() : _used++;
        if (slot == _handlers.Length)
        {
            Array.Resize(ref _handlers, slot * 2);
            Array.Resize(ref _generations, slot * 2);
        }

        _handlers[slot] = handler;
        handler.Slot = slot;
        return DataOf(handler);
    }

    public ulong DataOf(LoopHandler handler) => ((ulong)_generations[handler.Slot] << 32) | (uint)handler.Slot;

    public void Remove(LoopHandler handler)
    {
        int slot = handler.Slot;
        _handlers[slot] = null;
        _generations[slot]++;
        _free.Push(slot);
        handler.Slot = -1;
    }

    public LoopHandler? Find(ulong data)
    {
        uint slot = (uint)data;
        return slot < (uint)_used && _generations[slot] == (uint)(data >> 32) ? _handlers[slot] : null;
    }
}
