namespace Cocaine.Fast.Core.Manifest;

/// <summary>Turns the values of <c>engine</c> into settings, and checks values that depend on each other.</summary>
internal static class EngineReader
{
    /// <summary>Public frameworks of Cocaine beat at least every 20 s, and over a socket.</summary>
    private const long SlowestHeartbeatMs = 25_000;

    public static EngineSettings From(Dictionary<string, object> values)
    {
        EngineSettings defaults = new();
        long Of(string key, long fallback) => values.TryGetValue(key, out object? value) ? (long)value : fallback;
        EngineSettings settings = new()
        {
            Backend = values.GetValueOrDefault("backend") as string == "thread" ? BackendType.Thread : BackendType.Process,
            Loops = (int)Of("loops", defaults.Loops),
            PoolLimit = (int)Of("pool-limit", defaults.PoolLimit),
            PoolMinimum = (int)Of("pool-minimum", defaults.PoolMinimum),
            GrowWaitMs = Of("grow-wait", defaults.GrowWaitMs),
            QueueLimit = (int)Of("queue-limit", defaults.QueueLimit),
            QueueBytes = Of("queue-bytes", defaults.QueueBytes),
            QueueOrder = values.GetValueOrDefault("queue-order") as string == "adaptive" ? QueueOrder.Adaptive : QueueOrder.Fifo,
            QueueTargetMs = Of("queue-target", defaults.QueueTargetMs),
            QueueTimeoutMs = Of("queue-timeout", defaults.QueueTimeoutMs),
            JobTimeoutMs = Of("job-timeout", 0),
            HeartbeatTimeoutMs = Of("heartbeat-timeout", defaults.HeartbeatTimeoutMs),
            StartupTimeoutMs = Of("startup-timeout", defaults.StartupTimeoutMs),
            MinUptimeMs = Of("min-uptime", defaults.MinUptimeMs),
            SuicideTimeoutMs = Of("suicide-timeout", defaults.SuicideTimeoutMs),
            TerminationTimeoutMs = Of("termination-timeout", defaults.TerminationTimeoutMs),
            RetryLimit = (int)Of("retry-limit", defaults.RetryLimit),
            RetryLimitMax = (int)Of("retry-limit-max", -1),
            MaxJobs = Of("max-jobs", 0),
            MaxAgeMs = Of("max-age", 0),
            MaxRssBytes = Of("max-rss", 0),
            SpinMicroseconds = values.TryGetValue("spin", out object? spin) ? (int)(long)spin : EngineSettings.DefaultSpinMicroseconds,
            PipeSizeBytes = (int)Of("pipe-size", defaults.PipeSizeBytes),
            LedgerJobs = (int)Of("ledger-jobs", defaults.LedgerJobs),
        };
        return values.TryGetValue("concurrency", out object? set) ? settings with { Concurrency = (int)(long)set } : settings;
    }

    /// <param name="problems">Gets the mistakes.</param>
    /// <param name="engine">
    /// The JSON, for places. A mistake in a default of the node, whose key the JSON leaves out, is reported at the beginning of the JSON.
    /// </param>
    /// <param name="values">The good values. A check of any other value would only repeat a reported mistake.</param>
    /// <param name="settings">The settings with their defaults.</param>
    /// <param name="type">The app's type; null when it was wrong.</param>
    public static void Check(
        ProblemList problems, JsonTree engine, Dictionary<string, object> values, EngineSettings settings, AppType? type)
    {
        long OffsetOf(string key) => (engine[key] ?? engine).Offset;
        string Origin(string key) => engine[key] is null ? " (a default of the node)" : "";
        bool isLimitKnown = engine["pool-limit"] is null || values.ContainsKey("pool-limit");
        if (settings.PoolMinimum > settings.PoolLimit && isLimitKnown)
        {
            problems.Add(
                OffsetOf("pool-minimum"), "$.engine.pool-minimum",
                $"{settings.PoolMinimum} is more than the pool-limit of {settings.PoolLimit}{Origin("pool-minimum")}");
        }

        if (values.ContainsKey("retry-limit-max") && settings.RetryLimitMax < settings.RetryLimit)
        {
            problems.Add(
                OffsetOf("retry-limit-max"), "$.engine.retry-limit-max",
                $"{settings.RetryLimitMax} is less than the retry-limit of {settings.RetryLimit}{Origin("retry-limit-max")}");
        }

        if (settings.Backend == BackendType.Thread && type is not (null or AppType.DotNet or AppType.Cpp))
        {
            problems.Add(
                OffsetOf("backend"), "$.engine.backend",
                $"only dotnet and cpp apps run in threads of the node; a {type.Value.ToString().ToLowerInvariant()} app needs \"process\""
                + Origin("backend"));
        }

        if (settings is { Backend: BackendType.Thread, MaxRssBytes: > 0 })
        {
            problems.Add(
                OffsetOf("max-rss"), "$.engine.max-rss", "only for backend process: threads share the memory of the node");
        }

        bool bringsItsFramework = (type is AppType.Binary or AppType.Cpp) && settings.Backend == BackendType.Process;
        if (bringsItsFramework && settings.HeartbeatTimeoutMs < SlowestHeartbeatMs && values.ContainsKey("heartbeat-timeout"))
        {
            problems.Add(
                OffsetOf("heartbeat-timeout"), "$.engine.heartbeat-timeout",
                "workers of Cocaine's public frameworks beat every 20 s: below 25 s they are killed while they work", warning: true);
        }
    }
}

/// <summary>Values of <c>engine</c> for apps whose manifest leaves the key out: the <c>engine</c> of a node's config.</summary>
public sealed class EngineDefaults
{
    internal EngineDefaults(Dictionary<string, object> values) => Values = values;

    internal Dictionary<string, object> Values { get; }
}
