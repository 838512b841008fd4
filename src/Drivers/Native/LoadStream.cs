using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The news of one client that has asked for the load, section "Load" of docs/protocol.md: while the client has calls and for a second
/// after, and before the end of an answer, once a turn. Lives on the client's loop, and allocates nothing for a call.
/// </summary>
/// <param name="client">The client's connection.</param>
/// <param name="channel">The channel on which the client has asked.</param>
internal sealed class LoadStream(NativeConnection client, ulong channel)
{
    /// <summary>After the last call a client hears of the load for so long, ms: the next call finds news that are not old.</summary>
    private const int AfterCallsMs = 1000;

    private readonly LoadPace _pace = LoadPace.Of(client.Loop);
    private long _toldNs = -1;
    private long _busyMs;    // the last time at which the client had calls
    private bool _isPaced;   // the pace has the stream

    /// <summary>The channel of the news.</summary>
    public ulong Channel => channel;

    /// <summary>The client has begun a call.</summary>
    public void OnCall()
    {
        _busyMs = client.Loop.NowMs;
        if (!_isPaced)
        {
            _isPaced = true;
            _pace.Add(this);
        }
    }

    /// <summary>An answer is about to end: the client hears of the free place before, once in a turn.</summary>
    public void OnEnd()
    {
        _busyMs = client.Loop.NowMs;
        if (_toldNs != client.Loop.NowNs)
        {
            Tell();
        }
    }

    /// <summary>A round of the pace. False when the client needs no news now.</summary>
    public bool OnRound(long nowMs)
    {
        _busyMs = client.IsBusy ? nowMs : _busyMs;
        _isPaced = client.IsOpen && client.Loads == this && nowMs - _busyMs < AfterCallsMs;
        if (_isPaced && nowMs - Clock.MsOf(_toldNs) >= LoadPace.RoundMs && !client.IsSendBlocked)
        {
            Tell();
        }

        return _isPaced;
    }

    /// <summary>Tells the load.</summary>
    public void Tell()
    {
        _toldNs = client.Loop.NowNs;
        AppEngine engine = client.Server.Context.Engine;
        bool isOpen = engine.IsTaking && !engine.Pool.IsBroken && !engine.Scope.IsNodeDraining;
        new LoadNews(engine.Forwarded.Load, isOpen).Write(client.LoadSink, channel);
        client.ScheduleSend();
    }
}
