namespace Cocaine.Fast.Worker.Serving;

/// <summary>The channels whose handlers were not started, in the order of their calls. For the loop.</summary>
/// <param name="gate">Says which handlers may begin; null when all may.</param>
internal sealed class PendingChannels(BeginGate? gate)
{
    private readonly List<WorkerChannel> _channels = [];
    private int _changes;     // changes of the list, and of the requests of those in it
    private bool _isHeldBack; // the gate let not all begin that could

    /// <summary>A job was not begun because as many ran as may, and one of them has ended since.</summary>
    public bool HasHeldBackWithRoom => _isHeldBack && gate is { HasRoom: true, AwaitsRecall: false };

    public void Add(WorkerChannel channel) => _channels.Add(channel);

    /// <summary>Messages were taken: a request may be whole now.</summary>
    public void OnTaken() => _changes++;

    /// <summary>Takes out the channels from one on.</summary>
    public List<WorkerChannel> TakeFrom(ulong first)
    {
        List<WorkerChannel> taken = _channels.FindAll(channel => channel.Number >= first);
        _channels.RemoveAll(channel => channel.Number >= first);
        return taken;
    }

    /// <summary>
    /// Starts the handlers that may begin; a handler that needs its request as a whole gets it as a whole. A handler may wait within, and
    /// another thread may start others meanwhile.
    /// </summary>
    /// <param name="start">Starts one.</param>
    /// <param name="between">Called between two starts.</param>
    public void Begin(Action<WorkerChannel> start, Action between)
    {
        _isHeldBack = false;
        for (int i = 0; i < _channels.Count;)
        {
            WorkerChannel channel = _channels[i];
            if (channel.Event.NeedsWhole && !channel.NodeEnded)
            {
                i++; // handlers that still wait keep their order
                continue;
            }

            if (gate is not null && !gate.TryBegin(channel.Number))
            {
                _isHeldBack = true;
                return;
            }

            int changes = _changes;
            _channels.RemoveAt(i);
            start(channel);
            i = changes == _changes ? i : 0;
            if (i < _channels.Count)
            {
                between();
            }
        }
    }
}
