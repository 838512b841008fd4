using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// An app of this node as other nodes see it, on one of the app's loops: the links that came in, and the news about the load. All members
/// but <see cref="Take"/> are for the loop.
/// </summary>
/// <param name="name">The app's name.</param>
/// <param name="loop">The loop.</param>
/// <param name="isDraining">The node takes no jobs of other nodes now.</param>
/// <param name="log">The node's log.</param>
internal sealed class PeerApp(string name, EventLoop loop, Func<bool> isDraining, ILogger log) : WheelTimer
{
    private readonly List<PeerSession> _sessions = [];
    private EventCatalog[] _tasks = [];
    private LoadNews _told;
    private long _toldMs;
    private bool _isClosed;

    public string Name => name;

    public EventLoop Loop => loop;

    public ILogger Log => log;

    /// <summary>Tells whether the node takes no jobs of other nodes now.</summary>
    public Func<bool> IsDraining => isDraining;

    /// <summary>The engine that takes new jobs; null when there is none.</summary>
    public AppEngine? Engine { get; private set; }

    /// <summary>Links of other nodes.</summary>
    public IReadOnlyList<PeerSession> Sessions => _sessions;

    /// <summary>The present load.</summary>
    public LoadNews News => Engine is { } at
        ? new LoadNews(at.Forwarded.Load, at.IsTaking && !at.Pool.IsBroken && !isDraining()) : new LoadNews(new(1, 0, 0, 0), IsOpen: false);

    /// <summary>Another version of the app takes new jobs.</summary>
    /// <param name="engine">The version's engine; null when the app takes no jobs of other nodes.</param>
    /// <param name="tasks">The tasks whose jobs other nodes may send. Their jobs do not go on from here.</param>
    public void Use(AppEngine? engine, EventCatalog[] tasks)
    {
        Engine = engine;
        _tasks = tasks;
    }

    /// <summary>Finds the task of a job.</summary>
    public EventCatalog? Find(ReadOnlySpan<byte> task)
    {
        foreach (EventCatalog one in _tasks)
        {
            if (task.SequenceEqual(one.Monitor.Utf8Name))
            {
                return one;
            }
        }

        return null;
    }

    /// <summary>Takes the link of a node that has proven itself; from any loop. The socket belongs to the app from now on.</summary>
    public void Take(PeerSocket socket, string node) => loop.Post(() => Begin(in socket, node));

    /// <summary>Ends the links of nodes whose certificates are refused by now; from any loop.</summary>
    public void DropRefused() => loop.Post(() =>
    {
        foreach (PeerSession session in _sessions.Where(static one => one.Certified?.Refusal is not null).ToArray())
        {
            session.Close("the node's certificate is refused by now");
        }
    });

    /// <summary>Ends all links.</summary>
    public void Close()
    {
        _isClosed = true;
        loop.Timers.Cancel(this);
        foreach (PeerSession session in _sessions.ToArray())
        {
            session.Close("the app is gone from this node");
        }
    }

    /// <summary>A link has ended.</summary>
    public void OnClosed(PeerSession session) => _sessions.Remove(session);

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        if (_sessions.Count == 0)
        {
            return; // the next link arms the timer
        }

        LoadNews news = News;
        if (news != _told || nowMs - _toldMs >= PeerLimits.LongestNewsMs)
        {
            (_told, _toldMs) = (news, nowMs);
            foreach (PeerSession session in _sessions)
            {
                session.Tell(in news);
            }
        }

        loop.Timers.Arm(this, nowMs + PeerLimits.NewsMs);
    }

    private void Begin(in PeerSocket socket, string node)
    {
        PeerSession session = new(this, in socket, node);
        _sessions.Add(session);
        session.Begin();
        if (_isClosed || _sessions.Count > PeerLimits.MostSessions)
        {
            session.Close("the app takes no more links");
            return;
        }

        PeerLog.Joined(log, name, node, _sessions.Count);
        if (!IsArmed)
        {
            loop.Timers.Arm(this, loop.NowMs + PeerLimits.NewsMs);
        }
    }
}
