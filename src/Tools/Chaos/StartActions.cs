using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>
/// The actions against the starts of workers. They act on the processes from outside: the node sees the workers end without a reason.
/// </summary>
internal sealed class StartActions(
    ChaosManifest manifest, ChaosLoad load, ChaosLedger ledger, NodeWatch watch, ChaosActions others, Random random)
{
    /// <summary>Long enough for some failed starts with their pauses, short enough that the following pause lasts only seconds.</summary>
    private const int MinMs = 3000, MaxMs = 5000;

    /// <summary>Time between two looks at the pool.</summary>
    private const int LookMs = 20;

    /// <summary>
    /// The longest time of a look and a kill, also on a busy machine: workers that are killed later may have proven themselves.
    /// </summary>
    private const int MinUptimeMs = 500;

    /// <summary>Requests of a burst that exceed the room of the slaves, so that the pool has a reason to grow.</summary>
    private const int TooMany = 100;

    /// <summary>The length of a job whose wait makes the pool start a slave; it is over when that slave is ready.</summary>
    private static readonly TimeSpan ProbeDeadline = TimeSpan.FromMilliseconds(5);

    /// <summary>Time for a node and a worker on a busy machine, besides the times that the manifest allows.</summary>
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(20);

    private EngineSettings Engine => manifest.App.Engine;

    /// <summary>
    /// One worker is left, and for some seconds no other worker comes up, although there is work for more. The one worker must work on, and
    /// no job may fail for want of a slave. After that the pool must grow.
    /// </summary>
    public async Task<string?> BlockStartsAsync(NodeProcess node)
    {
        if (Engine.PoolLimit == 1)
        {
            return "the app's pool-limit is 1";
        }

        await others.CalmAsync().ConfigureAwait(false);
        PoolView? before = await UntilAsync(
            node, Busy, pool => pool.Ready.Any(worker => ProcessTable.IsChild(worker, node.Id)), press: false).ConfigureAwait(false);
        List<ProcessIdentity> workers = node.Workers;
        ProcessIdentity[] ready = [.. workers.Where(worker => before?.Ready.Contains(worker.Id) == true)];
        if (before is null || ready.Length == 0)
        {
            return "no worker process is ready";
        }

        ProcessIdentity last = ready[random.Next(ready.Length)];
        long refused = ledger.NoSlaves;
        long startMs = Environment.TickCount64, endMs = startMs + random.Next(MinMs, MaxMs);
        PoolView? then;
        using (new StartBlock(node))
        {
            workers.Where(worker => worker != last).ToList().ForEach(worker => LibC.kill(worker.Id, NodeProcess.Kill));
            then = await UntilAsync(node, TimeSpan.FromMilliseconds(MaxMs) + Busy,
                pool => Environment.TickCount64 >= endMs && pool.Done > before.Done, press: true).ConfigureAwait(false);
        }

        TimeSpan limit = RecoveryLimit(Environment.TickCount64 - startMs);
        PoolView? after = await UntilAsync(node, limit, IsGrown, press: true).ConfigureAwait(false);
        if (after is null || then is null || !ProcessTable.IsAlive(last))
        {
            return "the worker that was to go on has ended";
        }

        if (then.Done == before.Done)
        {
            ledger.Fault("no job was done by the worker that was there while no other could start");
        }

        if (ledger.NoSlaves > refused)
        {
            ledger.Fault($"{ledger.NoSlaves - refused} requests were told that the app cannot be started, while a worker was ready");
        }

        if (after.NoRoom.Length > 0)
        {
            return after.NoRoom;
        }

        if (!IsGrown(after))
        {
            ledger.Fault($"the pool has not grown {limit.TotalSeconds:F0} s after workers could start again: {after}");
        }

        return then.FailedStarts > before.FailedStarts ? null : "no start was tried meanwhile";
    }

    /// <summary>
    /// For some seconds each worker is killed once it is ready and before it has done a job: the pauses between starts become longer and
    /// longer. After that the app must work as before.
    /// </summary>
    public async Task<string?> KillYoungAsync(NodeProcess node)
    {
        if (Engine.MinUptimeMs < MinUptimeMs)
        {
            return $"the app's min-uptime is {Engine.MinUptimeMs} ms: nobody can tell whether a worker died before it";
        }

        await others.CalmAsync().ConfigureAwait(false);
        string? why = "requests are still under way";
        long startMs = 0;
        if (await load.PauseAsync(Busy).ConfigureAwait(false))
        {
            startMs = Environment.TickCount64;
            why = await KillReadyAsync(node).ConfigureAwait(false);
        }

        long? done = (await watch.PoolAsync(node).ConfigureAwait(false))?.Done;
        await load.ResumeAsync().ConfigureAwait(false);
        if (startMs > 0)
        {
            bool IsWell(PoolView pool) => pool.State == "running" && pool.Ready.Count > 0 && pool.Done > done;
            TimeSpan limit = RecoveryLimit(Environment.TickCount64 - startMs);
            PoolView? after = await UntilAsync(node, limit, IsWell, press: false).ConfigureAwait(false);
            if (after is not null && !IsWell(after))
            {
                ledger.Fault($"the app does not work {limit.TotalSeconds:F0} s after its workers were no longer killed: {after}");
            }
        }

        return why;
    }

    /// <summary>
    /// Kills all ready workers, again and again. Returns why the result says nothing about the starts, or null when it does.
    /// </summary>
    private async Task<string?> KillReadyAsync(NodeProcess node)
    {
        PoolView? before = await watch.PoolAsync(node).ConfigureAwait(false), now = before;
        long startMs = Environment.TickCount64, lookedMs = startMs, slowestMs = 0;
        long endMs = startMs + random.Next(MinMs, MaxMs);
        while (now is not null && lookedMs < endMs)
        {
            foreach (int worker in now.Ready.Where(worker => ProcessTable.IsChild(worker, node.Id)))
            {
                _ = LibC.kill(worker, NodeProcess.Kill);
            }

            if (now is { Total: 0, NextTryMs: 0 })
            {
                await ProbeAsync(node).ConfigureAwait(false);
            }

            await Task.Delay(LookMs).ConfigureAwait(false);
            now = await watch.PoolAsync(node).ConfigureAwait(false);
            slowestMs = Math.Max(slowestMs, Environment.TickCount64 - lookedMs);
            lookedMs = Environment.TickCount64;
        }

        if (before is null || now is null)
        {
            return "the node cannot be asked";
        }

        long starts = now.Starts - before.Starts, most = MostStarts(lookedMs - startMs, now.Minimum);
        if (slowestMs > Engine.MinUptimeMs / 2)
        {
            return $"it took {slowestMs} ms to see that a worker is ready: it may have proved good";
        }

        if (now.Done > before.Done)
        {
            return "a worker had done a job before it could be killed";
        }

        if (starts > most)
        {
            ledger.Fault($"{starts} workers were started within {lookedMs - startMs} ms though each died once it was ready: "
                + $"with the pauses between starts there are {most} at most");
        }

        return now.FailedStarts > before.FailedStarts ? null : "no worker was started meanwhile";
    }

    /// <summary>
    /// Starts within a time when all fail: one after each pause, which doubles; and the starts that were under way before the first
    /// failure.
    /// </summary>
    private static long MostStarts(long ms, int minimum) =>
        2 + (long)Math.Log2((ms / (double)EngineLimits.FirstRestartPauseMs) + 1) + (2 * EngineLimits.StartsAtOnce) + minimum;

    private async Task ProbeAsync(NodeProcess node)
    {
        try
        {
            await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint).ConfigureAwait(false);
            await client.CallAsync(manifest.Event, new byte[1], new CallOptions { RetryLimit = 0, Deadline = ProbeDeadline })
                .ConfigureAwait(false);
            ledger.Outcome("probe: done");
        }
        catch (CocaineException failure)
        {
            ledger.Outcome($"probe: error {failure.Code}");
        }
        catch (ConnectionLostException)
        {
            ledger.Outcome("probe: lost with its connection");
        }
    }

    /// <summary>Looks at the pool until the condition holds, or until the limit; null when the node cannot be asked.</summary>
    private async Task<PoolView?> UntilAsync(NodeProcess node, TimeSpan limit, Predicate<PoolView> isSo, bool press)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (true)
        {
            PoolView? pool = await watch.PoolAsync(node).ConfigureAwait(false);
            if (pool is null || isSo(pool) || Environment.TickCount64 >= end)
            {
                return pool;
            }

            if (press && pool.Waiting == 0)
            {
                await load.BurstAsync((Engine.Concurrency * Math.Max(1, pool.Ready.Count)) + TooMany).ConfigureAwait(false);
            }

            await Task.Delay(LookMs).ConfigureAwait(false);
        }
    }

    private static bool IsGrown(PoolView pool) => pool.Ready.Count > 1 && pool.State == "running";

    /// <summary>
    /// Pauses double, so the present one is no longer than the time for which starts failed. One more start may have failed already, with a
    /// pause twice as long; then a worker comes up and proves itself.
    /// </summary>
    private TimeSpan RecoveryLimit(long failedForMs) =>
        TimeSpan.FromMilliseconds((3 * failedForMs) + Engine.StartupTimeoutMs + Engine.MinUptimeMs) + Busy;
}
