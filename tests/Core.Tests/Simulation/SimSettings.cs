using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>Random settings of an engine and policies of jobs: small bounds, so that schedules of a hundred steps reach them.</summary>
internal static class SimSettings
{
    public static EngineSettings From(SimRandom random)
    {
        int poolLimit = random.Between(1, 4);
        return new EngineSettings
        {
            PoolLimit = poolLimit,
            PoolMinimum = random.Chance(70) ? 0 : random.Between(0, poolLimit),
            Concurrency = random.Chance(50) ? 1 : random.Between(2, 4),
            GrowWaitMs = random.Chance(50) ? 0 : random.Between(1, 20),
            QueueLimit = random.Chance(10) ? 0 : random.Between(1, 8),
            QueueTimeoutMs = random.Chance(50) ? 0 : random.Between(1, 5000),
            HeartbeatTimeoutMs = random.Between(1000, 30_000),
            StartupTimeoutMs = random.Between(500, 10_000),
            MinUptimeMs = random.Chance(30) ? 0 : random.Between(1, 3000),
            SuicideTimeoutMs = random.Between(100, 60_000),
            TerminationTimeoutMs = random.Between(100, 5000),
            RetryLimit = random.Between(0, 2),
            JobTimeoutMs = random.Chance(60) ? 0 : random.Between(1, 8000),
            QueueBytes = random.Chance(70) ? 0 : random.Between(20, 400),
            QueueOrder = random.Chance(70) ? QueueOrder.Fifo : QueueOrder.Adaptive,
            QueueTargetMs = random.Between(1, 500),
            MaxJobs = random.Chance(70) ? 0 : random.Between(1, 20),
            MaxAgeMs = random.Chance(70) ? 0 : random.Between(500, 30_000),
            MaxRssBytes = random.Chance(70) ? 0 : random.Between(1, 20_000),
        };
    }

    public static JobPolicy Policy(SimRandom random) => random.Chance(50) ? default : new JobPolicy
    {
        Urgent = random.Chance(30),
        SilenceTimeoutMs = random.Chance(30) ? random.Between(1, 8000) : 0,
        DeadlineMs = random.Chance(40) ? random.Between(1, 12_000) : 0,
        RetryLimit = random.Chance(30) ? random.Between(0, 3) : null,
    };
}
