using System.Net;
using Cocaine.Fast.Cluster.Forwarding;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// Sends jobs of an app on one loop to other nodes: keeps links to some of them while the app has more jobs than slaves, and chooses among
/// them for each job. Without jobs that wait there are no links. Lives on the loop.
/// </summary>
/// <param name="app">The app's name.</param>
/// <param name="loop">The loop.</param>
/// <param name="self">This node.</param>
/// <param name="peers">Knows the other nodes.</param>
/// <param name="log">The node's log.</param>
/// <param name="random">The source of the choices.</param>
/// <param name="tls">The node's TLS, which the links have; null = they have none.</param>
internal sealed class PeerForwarder(
    string app, EventLoop loop, PeerIdentity self, IPeerList peers, ILogger log, Random random, TlsDoors? tls = null)
    : WheelTimer, IForwarder
{
    private readonly PeerCount _count = new();
    private readonly PeerDialer _dialer = new(loop, tls);
    private PeerLink[] _links = [];   // those that are open
    private PeerLoad[] _loads = [];   // theirs, in the same order
    private long _rttNs;              // the mean way to them and back
    private long _usedMs;             // the last time that a job had to wait, or went
    private bool _isClosed;

    public string App => app;

    public PeerIdentity Self => self;

    public ILogger Log => log;

    /// <summary>The open links.</summary>
    public IReadOnlyList<PeerLink> Links => _links;

    /// <inheritdoc/>
    public IPeer? Choose(in OwnQueue own)
    {
        _usedMs = loop.NowMs;
        if (!IsArmed && !_isClosed)
        {
            loop.Timers.Arm(this, loop.NowMs); // links are opened at the end of the turn, not in the middle of a job
        }

        long ownWaitNs = ForwardRule.OwnWaitNs(own.Ahead, own.Slots, own.MeanNs, own.IsRefused);
        int chosen = ForwardRule.Choose(_loads, ownWaitNs, own.MeanNs, _rttNs, loop.NowNs, random, out long bestWaitNs);
        _count.OnDecision(ownWaitNs, bestWaitNs, loop.NowNs);
        return chosen < 0 ? null : _links[chosen];
    }

    /// <inheritdoc/>
    public void FailAll(IJobEngine engine, int code, string reason, ErrorCause cause)
    {
        foreach (PeerLink link in _links)
        {
            link.FailAll(engine, code, reason, cause);
        }
    }

    /// <summary>Ends all links.</summary>
    public void Close()
    {
        _isClosed = true;
        loop.Timers.Cancel(this);
        _dialer.Close();
        foreach (PeerLink link in _links)
        {
            link.Close("the app needs no other nodes any more");
        }
    }

    /// <summary>Opens links while jobs wait, and closes them when none has waited for a while.</summary>
    public override void OnDue(long nowMs)
    {
        if (nowMs - _usedMs >= PeerLimits.UnusedMs)
        {
            CloseUnused();
        }
        else
        {
            IReadOnlyList<PeerAddress> known = peers.Of(app);
            _dialer.Dial(known, _count.Of(known.Count + 1), random, Connect, OnNotLinked);
        }

        if (_links.Length > 0 || nowMs - _usedMs < PeerLimits.UnusedMs)
        {
            loop.Timers.Arm(this, nowMs + PeerLimits.LookMs);
        }
    }

    /// <summary>A link takes jobs.</summary>
    public void OnOpen(PeerLink link)
    {
        _dialer.OnOpen(link.To);
        Set([.. _links, link]);
        PeerLog.Linked(log, app, link.To.Node, _links.Length);
    }

    /// <summary>A link has ended.</summary>
    public void OnClosed(PeerLink link, int jobs, string reason)
    {
        bool wasOpen = Array.IndexOf(_links, link) >= 0;
        Set([.. _links.Where(one => one != link)]);
        if (_isClosed)
        {
            return;
        }

        _dialer.OnLost(link.To);
        if (!wasOpen)
        {
            OnNotLinked(link.To, reason);
        }
        else if (jobs > 0)
        {
            PeerLog.Lost(log, app, link.To.Node, jobs, reason);
        }
    }

    private void Connect(PeerAddress to, PeerSocket socket) => new PeerLink(this, to, loop, in socket).Begin();

    private void OnNotLinked(PeerAddress to, string problem)
    {
        if (_dialer.CountFailure(to) is { } total)
        {
            PeerLog.NotLinked(log, app, to.Node, PlainName(to.At), problem, total);
        }
    }

    private static string PlainName(EndPoint at) => at is DnsEndPoint name ? $"{name.Host}:{name.Port}" : at.ToString()!;

    private void CloseUnused()
    {
        foreach (PeerLink link in _links)
        {
            if (link.Jobs == 0)
            {
                link.Close("no job has needed it for a while");
            }
        }
    }

    private void Set(PeerLink[] links)
    {
        _links = links;
        _loads = [.. links.Select(link => link.Load)];
        _rttNs = links.Length == 0 ? 0 : (long)links.Average(link => link.RttNs);
    }
}
