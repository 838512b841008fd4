using System.Diagnostics.CodeAnalysis;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>The open channels of a worker, and free ones that serve the next jobs. For the loop.</summary>
internal sealed class WorkerChannels
{
    private readonly Func<WorkerChannel> _make;
    private readonly Stack<WorkerChannel>[] _free; // by event: a handler that keeps its response is no danger to other events

    /// <param name="events">The number of the app's events.</param>
    /// <param name="make">Makes one more.</param>
    public WorkerChannels(int events, Func<WorkerChannel> make)
    {
        _make = make;
        _free = new Stack<WorkerChannel>[events];
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = new Stack<WorkerChannel>();
        }
    }

    /// <summary>The open ones.</summary>
    public ChannelTable<WorkerChannel> Table { get; } = new();

    public int Count => Table.Count;

    public bool TryGet(ulong number, [NotNullWhen(true)] out WorkerChannel? channel) => Table.TryGet(number, out channel);

    /// <summary>Opens a channel for the next job.</summary>
    public WorkerChannel Open(ulong number, AppEvent called, ReadOnlySpan<byte> headers)
    {
        WorkerChannel channel = _free[called.Index].TryPop(out WorkerChannel? free) ? free : _make();
        channel.Begin(number, called, headers);
        Table.Add(number, channel);
        return channel;
    }

    /// <summary>Both sides have ended.</summary>
    public void Release(WorkerChannel channel)
    {
        if (Table.Remove(channel.Number, out _))
        {
            channel.End();
            _free[channel.Event.Index].Push(channel);
        }
    }
}
