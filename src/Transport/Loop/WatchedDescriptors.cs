using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The descriptors of a loop and their handlers: all of them in one epoll, and the bells of slaves in a second one too, for a wait without
/// sockets. Lives on the loop's thread.
/// </summary>
internal sealed class WatchedDescriptors : IDisposable
{
    private readonly HandlerTable _handlers = new();
    private readonly Epoll _all = new();
    private readonly Epoll _bells;
    private Epoll _source; // has the events of the last wait
    private int _first;    // the event to begin with, so that those that are left out are not always the same

    /// <param name="wake">The loop's own bell, which has no handler.</param>
    public WatchedDescriptors(EventDescriptor wake)
    {
        _source = _all;
        try
        {
            _bells = new Epoll();
            _all.Watch(wake.Descriptor, Epoll.In | Epoll.EdgeTriggered, HandlerTable.WakeData);
            _bells.Watch(wake.Descriptor, Epoll.In | Epoll.EdgeTriggered, HandlerTable.WakeData);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Watch(LoopHandler handler, int descriptor, uint events) => _all.Watch(descriptor, events, _handlers.Add(handler));

    public void WatchBell(LoopHandler handler, int descriptor)
    {
        ulong data = _handlers.Add(handler);
        _all.Watch(descriptor, Epoll.In | Epoll.EdgeTriggered, data);
        _bells.Watch(descriptor, Epoll.In | Epoll.EdgeTriggered, data);
    }

    public void Change(LoopHandler handler, int descriptor, uint events) => _all.Change(descriptor, events, _handlers.DataOf(handler));

    public void Forget(LoopHandler handler, int descriptor)
    {
        if (handler.Slot >= 0)
        {
            _handlers.Remove(handler);
            _all.Forget(descriptor);
        }
    }

    public void ForgetBell(LoopHandler handler, int descriptor)
    {
        _bells.Forget(descriptor);
        Forget(handler, descriptor);
    }

    /// <summary>Waits for events; returns their number.</summary>
    public int Wait(long timeoutNs, bool forBellsOnly)
    {
        _source = forBellsOnly ? _bells : _all;
        return _source.WaitNs(timeoutNs);
    }

    /// <summary>The number of events that are there now.</summary>
    public int Look()
    {
        _source = _all;
        return _all.Wait(0);
    }

    /// <summary>Gives the events of the last wait to their handlers, one after the other.</summary>
    /// <param name="events">How many there are.</param>
    /// <param name="pause">While it is on, what brings requests is left out.</param>
    /// <param name="handle">Gets a handler and what it is ready for.</param>
    public void Handle(int events, RequestPause pause, Action<LoopHandler, uint> handle)
    {
        int first = _first < events ? _first : 0;
        _first = 0;
        for (int i = 0; i < events; i++)
        {
            int at = first + i < events ? first + i : first + i - events;
            uint ready = _source.Event(at, out ulong data);
            if (_handlers.Find(data) is not { } handler)
            {
                continue;
            }

            if (pause.IsOn && handler.BringsRequests)
            {
                _first = _first == 0 ? at : _first;
                ready &= ~(Epoll.In | Epoll.PeerClosed); // level-triggered: they come again
            }

            if (ready != 0)
            {
                handle(handler, ready);
            }
        }
    }

    public void Dispose()
    {
        _bells?.Dispose();
        _all.Dispose();
    }
}
