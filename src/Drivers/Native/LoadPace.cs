using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// Tells the clients of one loop the loads that they have asked for, in turns: each ten times a second, and less often when more clients
/// than a loop should serve so have calls. Lives on the loop.
/// </summary>
internal sealed class LoadPace : WheelTimer
{
    /// <summary>Time between two rounds, ms: as often as nodes tell each other, see <c>bench -- cluster-sim</c>.</summary>
    public const int RoundMs = 100;

    /// <summary>News in a round: with 2,000 a second, of 1 µs each, the news of any number of clients take 0.2 % of a core.</summary>
    public const int MostInRound = 200;

    private static readonly ConditionalWeakTable<EventLoop, LoadPace> Paces = [];

    private readonly EventLoop _loop;
    private readonly Queue<LoadStream> _streams = new(); // of clients with calls, each once

    private LoadPace(EventLoop loop) => _loop = loop;

    /// <summary>The pace of a loop.</summary>
    public static LoadPace Of(EventLoop loop) => Paces.GetValue(loop, static of => new LoadPace(of));

    /// <summary>The client of a stream has calls.</summary>
    public void Add(LoadStream stream)
    {
        _streams.Enqueue(stream);
        if (!IsArmed)
        {
            _loop.Timers.Arm(this, _loop.NowMs + RoundMs);
        }
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        for (int left = Math.Min(_streams.Count, MostInRound); left > 0; left--)
        {
            LoadStream stream = _streams.Dequeue();
            if (stream.OnRound(nowMs))
            {
                _streams.Enqueue(stream); // behind all others
            }
        }

        if (_streams.Count > 0)
        {
            _loop.Timers.Arm(this, nowMs + RoundMs);
        }
    }
}
