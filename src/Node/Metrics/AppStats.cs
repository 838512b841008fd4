using System.Text.Json.Serialization;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Shards;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The figures of an app for the method <c>stats</c>. Counts are those since the app began, or since an earlier answer.</summary>
/// <param name="App">The app's name.</param>
/// <param name="State">The state in a word, as in lists.</param>
internal sealed record AppStats(string App, string State)
{
    public int Version { get; init; }

    /// <summary>Why slaves do not start; null when they do.</summary>
    public string? Reason { get; init; }

    public long Accepted { get; init; }

    public long Done { get; init; }

    public long Failed { get; init; }

    public long Refused { get; init; }

    public long Waited { get; init; }

    public long Retried { get; init; }

    public long Quarantined { get; init; }

    public long SlavesStarted { get; init; }

    /// <summary>Slaves that ended without being asked to.</summary>
    public long SlavesDied { get; init; }

    /// <summary>CPU time of the slaves' processes, s.</summary>
    public double CpuS { get; init; }

    public long RssBytes { get; init; }

    public int Queued { get; init; }

    public int Running { get; init; }

    public double OldestAgeS { get; init; }

    public int Slaves { get; init; }

    public int Starting { get; init; }

    public int Idle { get; init; }

    public int Busy { get; init; }

    public int Limit { get; init; }

    public int Connections { get; init; }

    /// <summary>Estimates from the buckets of the histogram, of the jobs that are counted here, s; null when no job has ended.</summary>
    public double? P50S { get; init; }

    /// <inheritdoc cref="P50S"/>
    public double? P99S { get; init; }

    /// <summary>Times on slaves: the values up to each of <see cref="MetricsText.BoundsNs"/>, and all values.</summary>
    [JsonIgnore]
    public long[] Times { get; init; } = [];

    public static AppStats Of(AppSample sample)
    {
        EngineCounters counters = sample.Counters;
        return new AppStats(sample.App.Name, sample.State)
        {
            Version = sample.App.Manifest.Version,
            Reason = sample.Cause,
            Accepted = (long)counters.JobsAccepted,
            Done = (long)counters.JobsDone,
            Failed = (long)counters.JobsFailed,
            Refused = (long)counters.JobsRejected,
            Waited = (long)counters.JobsWaited,
            Retried = (long)counters.JobsRetried,
            Quarantined = (long)counters.JobsQuarantined,
            SlavesStarted = (long)counters.SlavesStarted,
            SlavesDied = (long)counters.SlavesDied,
            CpuS = sample.SlaveCpuSeconds,
            RssBytes = sample.SlaveBytes,
            Queued = sample.Sum(engine => engine.Queued),
            Running = sample.Sum(engine => engine.Running),
            OldestAgeS = sample.Engines.Max(engine => engine.OldestAgeMs) / 1000,
            Slaves = sample.Sum(engine => engine.Total),
            Starting = sample.Sum(engine => engine.Starting),
            Idle = sample.Sum(engine => engine.Idle),
            Busy = sample.Sum(engine => engine.Busy),
            Limit = sample.Engines.Sum(engine => engine.Limit),
            Connections = sample.Tasks.Sum(task => task.Connections ?? 0),
        }.With(TimesOf(sample.Tasks));
    }

    /// <summary>An app that could not be started.</summary>
    public static AppStats Of(AppSummary failed) => new(failed.App, failed.State) { Version = failed.Version, Reason = failed.Reason };

    /// <summary>The same with the counts since an earlier answer; an app that has begun anew since has all of its counts.</summary>
    public AppStats Since(AppStats before) => Accepted < before.Accepted || Times.Length != before.Times.Length ? this : (this with
    {
        Accepted = Accepted - before.Accepted,
        Done = Done - before.Done,
        Failed = Failed - before.Failed,
        Refused = Refused - before.Refused,
        Waited = Waited - before.Waited,
        Retried = Retried - before.Retried,
        Quarantined = Quarantined - before.Quarantined,
        SlavesStarted = SlavesStarted - before.SlavesStarted,
        SlavesDied = SlavesDied - before.SlavesDied,
        CpuS = CpuS - before.CpuS,
    }).With([.. Times.Zip(before.Times, static (now, then) => now - then)]);

    private AppStats With(long[] times) => this with { Times = times, P50S = Percentile(times, 0.50), P99S = Percentile(times, 0.99) };

    private static long[] TimesOf(IReadOnlyList<TaskView> tasks)
    {
        long[] sums = new long[MetricsText.BoundsNs.Length + 1], one = new long[sums.Length];
        foreach (TaskView task in tasks)
        {
            one[^1] = task.OnSlave.CountUpTo(MetricsText.BoundsNs, one.AsSpan(..^1));
            for (int i = 0; i < sums.Length; i++)
            {
                sums[i] += one[i];
            }
        }

        return sums;
    }

    /// <summary>Between the bounds of its bucket a value is taken to lie evenly, as Prometheus does.</summary>
    private static double? Percentile(long[] times, double part)
    {
        long count = times[^1];
        if (count <= 0)
        {
            return null;
        }

        double wanted = part * count;
        int at = Array.FindIndex(times, upTo => upTo >= wanted);
        if (at < 0 || at >= MetricsText.BoundsNs.Length)
        {
            return MetricsText.BoundsNs[^1] / 1e9;
        }

        long below = at == 0 ? 0 : times[at - 1];
        double from = at == 0 ? 0 : MetricsText.BoundsNs[at - 1], to = MetricsText.BoundsNs[at];
        return (from + ((to - from) * (wanted - below) / Math.Max(1, times[at] - below))) / 1e9;
    }
}
