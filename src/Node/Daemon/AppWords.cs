using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Cluster;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The words of this node about the apps of its cluster. From one thread at a time.</summary>
/// <param name="node">Runs the apps.</param>
/// <param name="apps">The apps of this node.</param>
internal sealed class AppWords(CocaineNode node, HostedApps apps)
{
    private readonly Dictionary<string, JobShare> _shares = []; // by app; those that the cluster wants here

    /// <summary>The words.</summary>
    /// <param name="wanted">The records of the apps that this node should run, each with its manifest for this node.</param>
    /// <param name="isHidden">Whether an app of this node alone has the name.</param>
    /// <param name="outcomeOf">The last attempt to follow the record of an app.</param>
    public IReadOnlyList<AppWord> Of(
        IReadOnlyList<AppRecord> wanted, Predicate<string> isHidden, Func<string, AppOutcome?> outcomeOf)
    {
        foreach (string gone in _shares.Keys.Except(wanted.Select(record => record.App)).ToArray())
        {
            _shares.Remove(gone);
        }

        return
        [
            .. wanted.Select(record => new AppWord(
                record.App, isHidden(record.App) ? Taken(record) : Of(record, outcomeOf(record.App)),
                record.Rollout is { Stage: RolloutStage.Rolling })),
        ];
    }

    private AppStatus Taken(AppRecord record) => new(apps.Find(record.App)?.Manifest.Version ?? 0, AppState.Taken)
    {
        Generation = record.Generation,
        Reason = $"an app of this node alone has the name: here, 'app publish {record.App}' makes it the cluster's, and 'app delete "
            + $"{record.App}' makes place for the cluster's",
    };

    private AppStatus Of(AppRecord record, AppOutcome? outcome)
    {
        long generation = outcome?.Generation ?? 0;
        if (outcome?.Reason is { } reason && outcome.IsOf(record))
        {
            return new AppStatus(record.Version, outcome.LacksCode ? AppState.NoCode : AppState.Failed)
            {
                Generation = generation,
                Made = record.Made,
                Reason = Short(reason),
            };
        }

        if (apps.Find(record.App) is not { } hosted || node.Find(record.App) is not { } running)
        {
            return new AppStatus(record.Version, AppState.Starting) { Generation = generation, Made = record.Made };
        }

        EngineCounters counters = EngineCounters.Sum(running.Shards.All.Select(shard => shard.Counters));
        long failed = counters.FailedByApp, others = (long)(counters.JobsDone + counters.JobsFailed) - failed;
        (others, failed, double before) = ShareOf(record.App).Of(hosted.Made, others, failed, Environment.TickCount64);
        IReadOnlyList<AppEngine> engines = running.Version.Engines;
        bool isBroken = engines.All(engine => engine.Pool.IsBroken);
        bool isReady = running.Ready.IsCompletedSuccessfully || engines.Any(engine => engine.Pool.Roster.Ready > 0);
        AppState state = isBroken ? AppState.Failed : isReady ? AppState.Ready : AppState.Starting;
        return new AppStatus(hosted.Manifest.Version, state, Math.Max(0, others), Math.Max(0, failed), before)
        {
            Generation = generation,
            Made = hosted.Made,
            Reason = isBroken ? Short(engines[0].Pool.LastFailure) : null,
        };
    }

    private JobShare ShareOf(string app) => _shares.TryGetValue(app, out JobShare? share) ? share : _shares[app] = new JobShare();

    /// <summary>The end of a long reason: the last lines of a worker say the most.</summary>
    private static string Short(string reason) => reason.Length <= AppStatus.LongestReason ? reason : reason[^AppStatus.LongestReason..];
}
