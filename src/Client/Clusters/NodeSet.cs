using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// The nodes of one app, as a client knows them: chooses the node of each call, and hears how it went. From any thread: one lock, which is
/// held for a choice among three.
/// </summary>
internal sealed class NodeSet(string app)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ClusterLink> _links = [];
    private readonly RetryBudget _budget = new(Clock.NowNs);
    private readonly Random _random = new();
    private ClusterLink[] _open = [];  // those in Open
    private NodeNews[] _news = [];     // theirs, in the same order
    private TaskCompletionSource _some = NewSignal(); // completed while there are open ones

    /// <summary>Asks for another look at the locators; called under the lock.</summary>
    public Action? OnLost { get; set; }

    /// <summary>Completed when a node is open.</summary>
    public Task Some
    {
        get
        {
            lock (_lock)
            {
                return _some.Task;
            }
        }
    }

    /// <summary>A call begins: it pays for a part of a retry.</summary>
    public void OnCall()
    {
        lock (_lock)
        {
            _budget.OnCall();
        }
    }

    /// <summary>The node of a call. False when no node is open.</summary>
    public bool TryTake(out Attempt attempt)
    {
        lock (_lock)
        {
            return TryTake(_open, _news, out attempt);
        }
    }

    /// <summary>Another node for a call that has tried some. False when there is none, or the budget is spent.</summary>
    /// <param name="tried">The nodes that were tried.</param>
    /// <param name="attempt">The node.</param>
    public bool TryTakeOther(IReadOnlyCollection<ClusterLink> tried, out Attempt attempt)
    {
        lock (_lock)
        {
            ClusterLink[] others = [.. _open.Where(link => !tried.Contains(link))];
            attempt = default;
            return others.Length > 0 && _budget.TryRetry(Clock.NowNs)
                && TryTake(others, [.. others.Select(link => link.News)], out attempt);
        }
    }

    /// <summary>A call was answered.</summary>
    public void OnAnswered(Attempt attempt)
    {
        lock (_lock)
        {
            if (attempt.Link.Connection == attempt.Connection && attempt.Link.Client is not null)
            {
                attempt.Link.News.OnAnswered(Clock.NowNs);
            }
        }
    }

    /// <summary>A call has failed.</summary>
    public void OnFailed(Attempt attempt, Exception failure)
    {
        lock (_lock)
        {
            ClusterLink link = attempt.Link;
            if (link.Connection != attempt.Connection || link.Client is null || failure is ConnectionLostException)
            {
                return; // the end of the connection is told on its own
            }

            long nowNs = Clock.NowNs;
            if (failure is not CocaineException error || (error.Code == ErrorCodes.DeadlineError && error.JobId == 0))
            {
                link.News.OnGivenUp(nowNs);
                return;
            }

            link.News.OnAnswered(nowNs);
            if (TryEnds.Of(error) == TryEnd.NeverRun)
            {
                link.News.OnRefused(nowNs, error.RetryAfter is { } after ? (long)after.TotalMilliseconds * Clock.NsPerMs : null);
            }
        }
    }

    /// <summary>Completed when the node of a call is silent.</summary>
    public Task SilenceOf(Attempt attempt)
    {
        lock (_lock)
        {
            return (attempt.Link.Silence ??= NewSignal()).Task;
        }
    }

    /// <summary>Tells the calls of silent nodes.</summary>
    public void TellSilent(long nowNs)
    {
        lock (_lock)
        {
            foreach (ClusterLink link in _links.Values)
            {
                if (link.Silence is not null && link.News.IsSilent(nowNs))
                {
                    link.Silence.SetResult();
                    link.Silence = null;
                }
            }
        }
    }

    /// <summary>A locator names these addresses: others get no more calls.</summary>
    public void Want(IReadOnlyCollection<string> endpoints)
    {
        lock (_lock)
        {
            foreach (ClusterLink link in _links.Values.ToArray())
            {
                bool isWanted = endpoints.Contains(link.Endpoint);
                if (link.State == LinkState.Leaving && isWanted)
                {
                    link.MoveTo(LinkState.Open);
                }
                else if (link.State == LinkState.Open && !isWanted)
                {
                    link.MoveTo(LinkState.Leaving);
                }
                else if (!isWanted && link.State != LinkState.Leaving)
                {
                    Drop(link); // an attempt under way finds it closed
                }
            }

            foreach (string endpoint in endpoints)
            {
                _links.TryAdd(endpoint, new ClusterLink(endpoint));
            }

            Renew();
        }
    }

    /// <summary>The nodes to be connected to now; an attempt for each begins.</summary>
    public IReadOnlyList<ClusterLink> TakeDue(long nowNs)
    {
        lock (_lock)
        {
            List<ClusterLink> due = [];
            foreach (ClusterLink link in _links.Values)
            {
                if (link.State == LinkState.Waiting && link.NextNs <= nowNs)
                {
                    link.MoveTo(LinkState.Connecting);
                    due.Add(link);
                }
            }

            return due;
        }
    }

    /// <summary>An attempt was good: the number of the connection. Null when nobody wants it any more.</summary>
    public int? OnConnected(ClusterLink link, CocaineClient client)
    {
        lock (_lock)
        {
            if (link.State != LinkState.Connecting)
            {
                return null;
            }

            link.MoveTo(LinkState.Open, client);
            Renew();
            return link.Connection;
        }
    }

    /// <summary>An attempt has failed.</summary>
    public void OnNotConnected(ClusterLink link, string problem)
    {
        lock (_lock)
        {
            if (link.State == LinkState.Connecting)
            {
                link.MoveTo(LinkState.Waiting, nextNs: Clock.NowNs + Spread(link.PauseNs), problem: problem);
            }
        }
    }

    /// <summary>A connection has ended.</summary>
    public void OnEnded(ClusterLink link, int connection, string problem)
    {
        lock (_lock)
        {
            if (link.Connection != connection || link.Client is null)
            {
                return;
            }

            link.News.OnLost(Clock.NowNs);
            link.Silence?.SetResult(); // its calls know already
            link.Silence = null;
            if (link.State == LinkState.Leaving)
            {
                Drop(link);
                return;
            }

            link.MoveTo(LinkState.Waiting, nextNs: Clock.NowNs + Spread(link.PauseNs), problem: problem);
            Renew();
            OnLost?.Invoke();
        }
    }

    /// <summary>A node tells its load.</summary>
    public void OnNews(ClusterLink link, int connection, in LoadNews news)
    {
        lock (_lock)
        {
            if (link.Connection == connection)
            {
                link.News.OnReport(news.Load, Clock.NowNs);
                link.News.OnTakes(news.IsOpen);
            }
        }
    }

    /// <summary>The connections that are not needed any more; they are closed for the set.</summary>
    /// <param name="all">All of them: the client is at its end.</param>
    public IReadOnlyList<CocaineClient> TakeUnused(bool all = false)
    {
        lock (_lock)
        {
            List<CocaineClient> unused = [];
            foreach (ClusterLink link in _links.Values.ToArray())
            {
                if (all || (link.State == LinkState.Leaving && link.News.InFlight == 0))
                {
                    if (link.Client is { } client)
                    {
                        unused.Add(client);
                    }

                    Drop(link);
                }
            }

            Renew();
            return unused;
        }
    }

    /// <summary>The nodes, for people.</summary>
    public IReadOnlyList<ClusterNode> List()
    {
        lock (_lock)
        {
            return [.. _links.Values.Where(link => link.State != LinkState.Leaving).OrderBy(link => link.Endpoint, StringComparer.Ordinal)
                .Select(link => new ClusterNode(link.Endpoint, link.State == LinkState.Open, link.News.InFlight, link.Problem))];
        }
    }

    /// <summary>The text for a call that finds no node.</summary>
    public string NoNode()
    {
        lock (_lock)
        {
            string[] problems = [.. _links.Values.Select(link => link.Problem).OfType<string>().Distinct().Take(3)];
            return $"no node of the app '{app}' is connected{(problems.Length > 0 ? ": " : "")}{string.Join("; ", problems)}";
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool TryTake(ClusterLink[] links, NodeNews[] news, out Attempt attempt)
    {
        attempt = default;
        if (links.Length == 0)
        {
            return false;
        }

        long nowNs = Clock.NowNs;
        ClusterLink link = links[NodeChoice.Choose(news, nowNs, _random)];
        link.News.OnSent(nowNs);
        attempt = new Attempt(link, link.Client!, link.Connection);
        return true;
    }

    /// <summary>A part of the pause by chance, so that many clients do not come back in one moment.</summary>
    private long Spread(long ns) => (long)(ns * (0.5 + _random.NextDouble()));

    private void Drop(ClusterLink link)
    {
        link.MoveTo(LinkState.Closed);
        _links.Remove(link.Endpoint);
    }

    private void Renew()
    {
        _open = [.. _links.Values.Where(link => link.State == LinkState.Open)];
        _news = [.. _open.Select(link => link.News)];
        if (_open.Length > 0)
        {
            _some.TrySetResult();
        }
        else if (_some.Task.IsCompleted)
        {
            _some = NewSignal();
        }
    }
}
