using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>
/// Collects the figures of all apps when somebody asks, at most once a second: further readers get the last sample. Without readers
/// nothing runs.
/// </summary>
/// <param name="node">The node.</param>
internal sealed class StatsSampler(CocaineNode node)
{
    /// <summary>The age up to which a sample is given out again: readers come each second at most.</summary>
    public static readonly TimeSpan MostAge = TimeSpan.FromSeconds(1);

    /// <summary>The time that an app has to answer: a loop that is stuck must not keep the figures of other apps from a reader.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly SlaveUsage _usage = new();
    private readonly LoopThreads _threads = new();
    private Task<NodeSample>? _last;
    private long _takenAt; // the time of the start of the last sample

    /// <summary>A sample that is at most a second old, or one that is being taken.</summary>
    public Task<NodeSample> SampleAsync()
    {
        TimeProvider clock = NodeClock.Instance;
        lock (_lock)
        {
            if (_last is null || _last.IsFaulted || clock.GetElapsedTime(_takenAt) >= MostAge)
            {
                _takenAt = clock.GetTimestamp();
                _last = TakeAsync();
            }

            return _last;
        }
    }

    private async Task<NodeSample> TakeAsync()
    {
        RunningApp[] apps = [.. node.Apps.OrderBy(app => app.Name, StringComparer.Ordinal)];
        AppSample?[] samples = await Task.WhenAll(apps.Select(TakeAsync));
        AppSample[] taken = [.. samples.OfType<AppSample>()];
        _usage.AddTo(taken, NodeClock.Instance);
        return new NodeSample(node, taken, samples.Length - taken.Length)
        {
            LoopSeconds = await _threads.SecondsAsync(node.Loops, Patience),
        };
    }

    private static async Task<AppSample?> TakeAsync(RunningApp app)
    {
        try
        {
            return await AppView.AskAsync(app, view => new AppSample(app, view), isLight: true).WaitAsync(Patience, NodeClock.Instance);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
