using Cocaine.Fast.Transport.Loop;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// Whole messages on their way from a loop to a socket: filled on the loop, posted at the end of its turn, sent on the poller's thread.
/// </summary>
internal sealed class OutgoingMessages(ZeroMqOutput output) : LoopWork
{
    /// <summary>The cost of a frame beside its bytes.</summary>
    private const int FrameCostBytes = 64;

    private Msg[] _frames = new Msg[64];
    private Route?[] _routes = new Route?[64]; // set for a message's first frame: the route records whether the message was sent
    private int _count;

    public long Bytes { get; private set; }

    /// <summary>The share of the bound of unsent bytes that the batch takes.</summary>
    public long CostBytes => Bytes + ((long)_count * FrameCostBytes);

    /// <summary>Adds a frame that belongs to NetMQ from now on. The first frame of a ROUTER's message names its route.</summary>
    public void Add(ref Msg frame, bool more, Route? route)
    {
        if (_count == _frames.Length)
        {
            Array.Resize(ref _frames, _count * 2);
            Array.Resize(ref _routes, _count * 2);
        }

        if (more)
        {
            frame.SetFlags(MsgFlags.More);
        }

        Bytes += frame.Size;
        _frames[_count] = frame;
        _routes[_count++] = route;
    }

    /// <summary>Runs on the poller's thread.</summary>
    public override void Run() => output.SendAll(this);

    /// <summary>Sends every message or drops it as a whole; returns the number of dropped messages.</summary>
    public long Send(NetMQSocket to)
    {
        long dropped = 0;
        for (int i = 0; i < _count;)
        {
            Route? route = _routes[i];
            bool going = route is not { IsGone: true };
            bool more;
            do
            {
                // ZeroMQ takes all frames of a message once it took the first: high-water marks count messages.
                ref Msg frame = ref _frames[i++];
                more = frame.HasMore;
                going = going && TrySend(to, ref frame, more, route);
                if (!going)
                {
                    frame.Close();
                }
            }
            while (more);

            if (!going)
            {
                dropped++;
                route?.NoteDropped();
            }
        }

        return dropped;
    }

    public void Clear()
    {
        Array.Clear(_frames, 0, _count);
        Array.Clear(_routes, 0, _count);
        _count = 0;
        Bytes = 0;
    }

    private static bool TrySend(NetMQSocket to, ref Msg frame, bool more, Route? route)
    {
        try
        {
            return to.TrySend(ref frame, TimeSpan.Zero, more);
        }
        catch (HostUnreachableException) when (route is not null)
        {
            route.IsGone = true; // expected: the peer went away; further answers do not try again
            return false;
        }
    }
}
