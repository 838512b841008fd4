using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The links of an app on one loop to other nodes. Lives on the loop.</summary>
internal interface IShardLinks
{
    /// <summary>A version takes new jobs from now on.</summary>
    /// <param name="version">The version.</param>
    /// <param name="engine">The version's engine on the loop; null when it has none there.</param>
    /// <param name="tasks">The version's tasks on the loop.</param>
    void Use(AppManifest version, AppEngine? engine, IReadOnlyList<AppTask> tasks);

    /// <summary>The app has ended.</summary>
    void Close();
}

/// <summary>
/// An app on one of its loops: the drivers that serve connections there, and the counters and job numbers of all versions. Each version
/// has an engine of its own on the shard. The first shard is the app's home: its drivers are those of all tasks, and the app is controlled
/// from there. Lives on its loop.
/// </summary>
/// <param name="index">The shard's place, from 0.</param>
/// <param name="parts">The parts of the app on this loop.</param>
/// <param name="tasks">The drivers on this loop.</param>
internal sealed class AppShard(int index, AppParts parts, TaskSet tasks)
{
    private readonly Dictionary<AppVersion, TaskChange> _ending = []; // drivers that close with the version that they belong to
    private AppEngine? _engine;                                       // takes new jobs; null before the first switch

    public int Index => index;

    public AppParts Parts => parts;

    public EventLoop Loop => parts.Loop;

    public TaskSet Tasks => tasks;

    /// <summary>The counts of all versions on this loop. Other threads may read them.</summary>
    public EngineCounters Counters { get; } = new();

    /// <summary>The last number of a job on this loop, or a greater one, as far as another thread sees it.</summary>
    public ulong LastJobId => Math.Max(Counters.LastJobId, Math.Max(parts.Records!.FirstJobId, parts.Records.Ledger.LastId));

    /// <summary>The links to other nodes; null without a cluster.</summary>
    public IShardLinks? Links { get; set; }

    /// <summary>
    /// On a further loop: new connections and jobs go to another version, whose drivers take over from those of the version before. In one
    /// turn of the loop, so that no other event comes in between.
    /// </summary>
    /// <param name="before">The version before; null at the app's start.</param>
    /// <param name="next">The version that takes over.</param>
    /// <param name="spread">The version's tasks that have drivers on each loop, and where they listen.</param>
    /// <param name="paused">The app takes no new jobs.</param>
    public void Switch(AppVersion? before, AppVersion next, IReadOnlyDictionary<string, HomeEndpoints> spread, bool paused)
    {
        AppEngine? engine = next.On(this);
        if (engine is null && _engine is null)
        {
            return; // the shard was made for a version that did not come up
        }

        if (engine is not null)
        {
            engine.IsPaused = paused;
        }

        AppManifest manifest = next.Manifest with
        {
            Tasks = engine is null ? [] : [.. next.Manifest.Tasks.Where(task => spread.ContainsKey(task.Name))],
            PubsubEndpoint = null,
        };
        TaskChange change = tasks.Prepare(manifest, engine ?? _engine!, spread);
        tasks.Commit(change);
        _engine = engine ?? _engine;
        if (before is not null)
        {
            _ending[before] = change;
        }

        UseForLinks(next);
    }

    /// <summary>Jobs of a version go to other nodes, and come from there.</summary>
    public void UseForLinks(AppVersion version) => Links?.Use(version.Manifest, version.On(this), tasks.Tasks);

    /// <summary>The app has ended.</summary>
    public void Close()
    {
        tasks.Close();
        Links?.Close();
    }

    /// <summary>A version has no more jobs: the drivers that only it had close.</summary>
    public void Finish(AppVersion version)
    {
        if (_ending.Remove(version, out TaskChange? change))
        {
            TaskSet.Finish(change);
        }
    }

    /// <summary>Serves a connection that the home has accepted.</summary>
    public void Take(string task, int descriptor) => tasks.Take(task, descriptor);
}
