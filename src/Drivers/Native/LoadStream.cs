using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The news of one client that has asked for the load, section "Load" of docs/protocol.md: while the client has calls and for a second
/// after, and before the end of an answer, once a turn. Lives on the client's loop, and allocates nothing for a call.
/// </summary>
/// <param name="client">The client's connection.</param>
/// <param name="channel">The channel on which the client has asked.</param>
/// <param name="present">Tells the present load of the app.</param>
internal sealed class LoadStream(MessageConnection client, ulong channel, Func<LoadNews> present)
{
    /// <summary>After the last call a client hears of the load for so long, ms: the next call finds news that are not old.</summary>
    private const int AfterCallsMs = 1000;

    private readonly LoadPace _pace = LoadPace.Of(client.Loop);
    private long _toldNs = -1;
    private long _busyMs;    // the last time at which the client had calls
    private bool _isPaced;   // the pace has the stream
    private bool _isOver;    // the client wants no more, or is gone

    /// <summary>The channel of the news.</summary>
    public ulong Channel => channel;

    /// <summary>The client hears no more.</summary>
    public void End() => _isOver = true;

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
        _isPaced = !_isOver && nowMs - _busyMs < AfterCallsMs;
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
        present().Write(client.Output, channel);
        client.ScheduleSend();
    }
}
