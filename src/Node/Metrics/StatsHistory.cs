using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>
/// Answers <c>stats</c>, and keeps the last answers, so that a client gets the counts since an earlier one. All doors of a node share it.
/// While nobody asks nothing runs.
/// </summary>
internal sealed class StatsHistory
{
    /// <summary>
    /// The answers that are kept: of more than ten seconds with a reader each second. An answer about 200 apps takes 120 KB.
    /// </summary>
    private const int Kept = 16;

    private static readonly ConditionalWeakTable<CocaineNode, StatsHistory> OfNodes = [];

    private readonly Lock _lock = new(); // guards the queue and the number
    private readonly Queue<(StatsAnswer Answer, long At)> _answers = new();
    private NodeSample? _last;
    private int _number;

    private StatsHistory(CocaineNode node) => Sampler = new StatsSampler(node);

    /// <summary>Takes the samples.</summary>
    public StatsSampler Sampler { get; }

    /// <summary>The history of a node.</summary>
    public static StatsHistory Of(CocaineNode node) => OfNodes.GetValue(node, static one => new StatsHistory(one));

    /// <summary>The present figures.</summary>
    /// <param name="since">The number of an earlier answer; 0 or one that is gone = counts since the apps began.</param>
    /// <param name="failed">Apps that could not be started.</param>
    /// <param name="maySee">The reader may see the figures of an app.</param>
    public async Task<StatsAnswer> AskAsync(int since, IEnumerable<AppSummary> failed, Predicate<string> maySee)
    {
        NodeSample sample = await Sampler.SampleAsync();
        lock (_lock)
        {
            if (_last != sample)
            {
                _last = sample;
                _answers.Enqueue((Of(++_number, sample, failed), NodeClock.Instance.GetTimestamp()));
                if (_answers.Count > Kept)
                {
                    _answers.Dequeue();
                }
            }

            (StatsAnswer now, long at) = _answers.Last();
            (StatsAnswer? before, long then) = _answers.FirstOrDefault(one => one.Answer.Id == since);
            StatsAnswer all = before is null || before == now ? now : Since(now, before, NodeClock.Instance.GetElapsedTime(then, at));
            return all with { Apps = [.. all.Apps.Where(app => maySee(app.App))] };
        }
    }

    private static StatsAnswer Of(int number, NodeSample sample, IEnumerable<AppSummary> failed) => new(
        number,
        new NodeStats(
            Environment.MachineName, ProductVersion.Text, (DateTimeOffset.UtcNow - sample.Node.Since).TotalSeconds, sample.Node.Loops.Count,
            sample.LoopSeconds.Sum(seconds => seconds ?? 0), Environment.CpuUsage.TotalTime.TotalSeconds, Environment.WorkingSet,
            sample.Node.Quarantine.List(null).Count, sample.Silent),
        [.. sample.Apps.Select(AppStats.Of).Concat(failed.Select(AppStats.Of)).OrderBy(app => app.App, StringComparer.Ordinal)]);

    private static StatsAnswer Since(StatsAnswer now, StatsAnswer before, TimeSpan between)
    {
        Dictionary<string, AppStats> earlier = before.Apps.ToDictionary(app => app.App);
        return now with
        {
            Since = before.Id,
            OverS = between.TotalSeconds,
            Node = now.Node with
            {
                LoopsBusyS = now.Node.LoopsBusyS - before.Node.LoopsBusyS,
                CpuS = now.Node.CpuS - before.Node.CpuS,
            },
            Apps = [.. now.Apps.Select(app => earlier.TryGetValue(app.App, out AppStats? then) ? app.Since(then) : app)],
        };
    }
}
