using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The state of an app, copied on each of its loops, one after the other; and its sums. Lives on the app's first loop.</summary>
/// <param name="app">The app.</param>
/// <param name="isLight">
/// Without slaves and drivers' facts, and with the histograms themselves: little work for the loops, for readers that come each second.
/// </param>
internal sealed class AppView(RunningApp app, bool isLight)
{
    private readonly List<ShardView> _shards = [];

    // Versions with jobs, each once; the last one takes new jobs. A stopping app's last version is among the older ones.
    private readonly AppVersion[] _versions = [.. app.Older.Where(older => older != app.Version).Append(app.Version)];

    public IReadOnlyList<ShardView> Shards => _shards;

    /// <summary>The engines that take new jobs.</summary>
    public IReadOnlyList<EngineView> Engines => [.. _shards.Select(shard => shard.Engine).OfType<EngineView>()];

    /// <summary>The engine at the app's home that takes new jobs.</summary>
    public EngineView Home => _shards[0].Engine!;

    /// <summary>The counts of all loops.</summary>
    public EngineCounters Counters =>
        _shards.Count == 1 ? _shards[0].Counters : EngineCounters.Sum(_shards.Select(shard => shard.Counters));

    /// <summary>Versions that finish their jobs, with their engines.</summary>
    public IEnumerable<(AppVersion Version, IReadOnlyList<EngineView> Engines)> Older =>
        _versions.SkipLast(1).Select((version, i) => (version, (IReadOnlyList<EngineView>)[.. _shards.Select(shard => shard.Engines[i])
            .OfType<EngineView>()]));

    /// <summary>The tasks, each with the sums of its drivers.</summary>
    public IEnumerable<TaskView> Tasks => _shards[0].Tasks.Select(
        home => TaskView.Sum([home, .. _shards.Skip(1).SelectMany(shard => shard.Tasks).Where(task => task.Name == home.Name)]));

    /// <summary>Why slaves do not start; null when they do.</summary>
    public string? Cause => Engines.FirstOrDefault(engine => engine.IsFailing)?.LastFailure;

    /// <summary>The state of the app in a word. An app is broken when it is on each of its loops.</summary>
    public string State => Home.State != EngineState.Running ? Home.State.ToString().ToLowerInvariant()
        : Engines.All(engine => engine.IsBroken) ? "broken" : Home.IsPaused ? "paused"
        : Cause is not null ? "failing"
        : app.Phase == AppPhase.Replacing ? "replacing" : "running";

    /// <summary>The sum of something over all engines.</summary>
    public int Sum(Func<EngineView, int> of) => _shards.Sum(shard => shard.Sum(of));

    /// <summary>The sums for the app's monitoring socket.</summary>
    public EngineSums Sums => new(
        Engines.Sum(engine => engine.Queued), Engines.Max(engine => engine.OldestAgeMs), Engines.Sum(engine => engine.Busy),
        Engines.Sum(engine => engine.Total), (long)Counters.JobsDone, (long)Counters.JobsFailed,
        [.. Tasks.Select(task => new TaskTimes(task.Name, task.InQueue.Snapshot(), task.OnSlave.Snapshot()))]);

    /// <summary>Something of the app's state; from any thread.</summary>
    public static Task<T> AskAsync<T>(RunningApp app, Func<AppView, T> of, bool isLight = false)
    {
        TaskCompletionSource<T> seen = new();
        void Fail(Exception failure) => NodeThreads.Post(() => seen.TrySetException(failure));

        app.Loop.Post(() => Gather(app, view => NodeThreads.Complete(seen, of(view)), Fail, isLight));
        return seen.Task;
    }

    /// <summary>
    /// Copies the state. An app on one loop gets it within the call. Otherwise the view goes from loop to loop, each of which adds its own,
    /// and comes back.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <param name="done">Gets the state, on the app's first loop.</param>
    /// <param name="failed">
    /// Hears instead when the facts of a driver, or <paramref name="done"/>, throw: an embedding program's driver may. Null = the loop logs
    /// it.
    /// </param>
    /// <param name="isLight">A light view.</param>
    public static void Gather(RunningApp app, Action<AppView> done, Action<Exception>? failed = null, bool isLight = false) =>
        new AppView(app, isLight).GoOn([.. app.Shards.All], 0, done, failed);

    private void GoOn(AppShard[] shards, int next, Action<AppView> done, Action<Exception>? failed)
    {
        try
        {
            if (next == shards.Length)
            {
                done(this);
                return;
            }

            Add(shards[next]);
        }
        catch (Exception failure) when (failed is not null && failure is not OutOfMemoryException)
        {
            failed(failure);
            return;
        }

        if (shards.Length == 1)
        {
            GoOn(shards, next + 1, done, failed);
        }
        else
        {
            shards[(next + 1) % shards.Length].Loop.Post(() => GoOn(shards, next + 1, done, failed)); // after the last one, home
        }
    }

    private void Add(AppShard shard) => _shards.Add(new ShardView(
        [.. _versions.Select(version => version.On(shard) is { } engine ? EngineView.Of(engine, isLight) : null)], shard.Counters.Copy(),
        shard.Loop.Counters.Copy(), [.. shard.Tasks.Tasks.Select(Of)]));

    private TaskView Of(AppTask task) => TaskView.Of(task.Manifest, task.Driver, task.Context.Singleton, isLight);
}
