using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// The leases of a node: one for each app that has tasks of which one node makes the jobs, and the coordinator's. A lease has a task of its
/// own, which runs while the node is attached. From any thread.
/// </summary>
/// <param name="identity">The node, and its present start; null before it is known.</param>
/// <param name="view">The nodes of the cluster, as this node saw them last.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterLeases(Func<(string Uuid, long Incarnation)?> identity, Func<MemberView> view, ILogger log)
{
    /// <summary>How long a node that stops waits for the engine to take its leases back: others wait 8 s for those that it keeps.</summary>
    private static readonly TimeSpan GiveUpLimit = TimeSpan.FromSeconds(1);

    /// <summary>The writes of each lease of a start have numbers of their own, which begin so far apart.</summary>
    private const int SerialBits = 40;

    /// <summary>The key of the lease of the node that moves rollouts.</summary>
    private const string CoordinatorKey = "coordinator";

    private readonly Lock _lock = new(); // guards the fields below
    private readonly Dictionary<string, LeaseKeeper> _keepers = []; // by key; kept when the app is gone, as its writes have numbers
    private readonly List<Task> _tasks = []; // of the session
    private NatsSession? _session; // while attached

    /// <summary>The right to make the jobs of a task.</summary>
    /// <param name="app">The app.</param>
    /// <param name="task">The task.</param>
    /// <param name="loop">The loop of the task.</param>
    public ISingleton Of(string app, string task, EventLoop loop) => new TaskSingleton(KeeperOf(KeyOf(app)), task, loop, NameOf);

    /// <summary>The lease of the node that moves rollouts.</summary>
    public LeaseKeeper Coordinator => KeeperOf(CoordinatorKey);

    /// <summary>The name of the node that has the lease of an app: few nodes watch it, and the others ask the engine.</summary>
    /// <param name="app">The app.</param>
    /// <returns>The name; null when none has it, or the engine is away.</returns>
    public async Task<string?> HolderOfAsync(string app)
    {
        NatsSession? session;
        LeaseKeeper? keeper;
        lock (_lock)
        {
            session = _session;
            keeper = _keepers.GetValueOrDefault(KeyOf(app));
        }

        try
        {
            string? holder = keeper?.Holder;
            return NameOf(holder ?? (session is null ? null : await LeaseKeeper.HolderAsync(session, KeyOf(app))));
        }
        catch (EngineException)
        {
            return null; // the answer says that the engine is away
        }
    }

    /// <summary>The key of the lease of an app.</summary>
    /// <param name="app">The app.</param>
    public static string KeyOf(string app) => $"app.{app}";

    /// <summary>Makes the node take part in the leases of these apps, and of no others.</summary>
    /// <param name="apps">The apps that are ready here.</param>
    /// <param name="mayCoordinate">Whether the node may be the one that moves rollouts.</param>
    public void Update(IReadOnlyList<LeasedApp> apps, bool mayCoordinate)
    {
        MemberView nodes = view();
        LeaseKeeper coordinator = Coordinator;
        coordinator.IsCandidate = LeaseCandidates.Of(CoordinatorKey, nodes.Nodes.Select(node => node.Member))
            .Any(node => node.Uuid == identity()?.Uuid);
        coordinator.IsWanted = mayCoordinate;
        foreach (LeasedApp app in apps)
        {
            LeaseKeeper keeper = KeeperOf(KeyOf(app.App));
            keeper.GoesOnAlone = app.GoesOnAlone;
            keeper.IsCandidate = LeaseCandidates
                .Of(app.App, nodes.Nodes.Where(node => node.Record.Ready.Contains(app.App)).Select(node => node.Member))
                .Any(node => node.Uuid == identity()?.Uuid);
            keeper.IsWanted = true;
        }

        foreach ((_, LeaseKeeper keeper) in All().Where(one => one.Key != CoordinatorKey && !apps.Any(app => KeyOf(app.App) == one.Key)))
        {
            keeper.IsWanted = false;
        }
    }

    /// <summary>A session with the engine has begun.</summary>
    /// <param name="session">The session.</param>
    public void Attach(NatsSession session)
    {
        lock (_lock)
        {
            _session = session;
            foreach (LeaseKeeper keeper in _keepers.Values)
            {
                _tasks.Add(NodeThreads.Run(() => keeper.RunAsync(session)));
            }
        }
    }

    /// <summary>The session has ended: waits until nothing uses it.</summary>
    public async Task DetachAsync()
    {
        Task[] tasks;
        lock (_lock)
        {
            _session = null;
            tasks = [.. _tasks];
            _tasks.Clear();
        }

        foreach (Task task in tasks)
        {
            try
            {
                await task;
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                ClusterLog.Fault(log, fault);
            }
        }
    }

    /// <summary>Gives all leases up, so that other nodes take them at once.</summary>
    public async Task GiveUpAsync()
    {
        Task all = Task.WhenAll(All().Select(one => one.Value.GiveUpAsync()));
        await Task.WhenAny(all, Task.Delay(GiveUpLimit, NodeClock.Instance));
    }

    private KeyValuePair<string, LeaseKeeper>[] All()
    {
        lock (_lock)
        {
            return [.. _keepers];
        }
    }

    private LeaseKeeper KeeperOf(string key)
    {
        lock (_lock)
        {
            if (_keepers.TryGetValue(key, out LeaseKeeper? known))
            {
                return known;
            }

            (string uuid, long incarnation) = identity() ?? throw new InvalidOperationException("the node is in no cluster");
            LeaseKeeper keeper = new(key, new Lease(uuid, incarnation, (long)_keepers.Count << SerialBits), NodeClock.Instance);
            keeper.Changed = isHeld => OnChanged(key, keeper, isHeld);
            _keepers[key] = keeper;
            if (_session is { } session)
            {
                _tasks.Add(NodeThreads.Run(() => keeper.RunAsync(session)));
            }

            return keeper;
        }
    }

    private void OnChanged(string key, LeaseKeeper keeper, bool isHeld)
    {
        string app = key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..];
        if (key == CoordinatorKey)
        {
            ClusterLog.Coordinates(log, isHeld ? "is" : "is no longer", keeper.Term);
        }
        else if (isHeld)
        {
            ClusterLog.LeaseTaken(log, app, keeper.Term);
        }
        else if (keeper.IsWanted)
        {
            ClusterLog.LeaseLost(log, app, NameOf(keeper.Holder) ?? "nobody");
        }
        else
        {
            ClusterLog.LeaseGivenUp(log, app);
        }
    }

    private string? NameOf(string? uuid) =>
        uuid is null ? null : view().Nodes.FirstOrDefault(node => node.Record.Uuid == uuid)?.Record.Name ?? uuid;
}
