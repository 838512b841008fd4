using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>What must hold of the engine between two steps, after its timers have fired, and when it has stopped.</summary>
internal static class SimChecks
{
    /// <summary>The watch over a slave's silence looks at most this much later than it is due.</summary>
    private const int WatchSlackMs = 1001;

    public static void AfterStep(SimWorld world)
    {
        world.Starts.CheckGrowth();
        world.Model.LookForBegun();
        AppEngine engine = world.Engine;
        JobModel model = world.Model;
        Require(engine.Counters.Holds(engine.Queue.Count, engine.RunningJobs), "accepted = done + failed + queued + running does not hold");
        Require(model.Open.Count == engine.Queue.Count + engine.RunningJobs,
            $"{model.Open.Count} requests have no outcome, but the engine has {engine.Queue.Count} queued and {engine.RunningJobs} running");
        Require(model.Waiting == engine.Queue.Count, $"{model.Waiting} requests wait, but {engine.Queue.Count} are queued");
        Require(engine.Counters.JobsAccepted == model.Accepted && engine.Counters.JobsDone == model.Done
            && engine.Counters.JobsFailed == model.Failed && engine.Counters.JobsRejected == model.Refused
            && engine.Counters.JobsCancelled == model.Cancelled, "the counters are not what the callers have seen");
        ReasonCounters reasons = engine.Counters.Reasons;
        ulong refused = Enum.GetValues<RefusalReason>().Aggregate(0ul, (sum, reason) => sum + reasons[reason]);
        ulong ended = Enum.GetValues<SlaveEnd>().Aggregate(0ul, (sum, end) => sum + reasons[end]);
        Require(refused == engine.Counters.JobsRejected, $"{refused} refusals have a reason, but {engine.Counters.JobsRejected} were refused");
        Require(ended + (ulong)engine.Pool.Roster.Total == engine.Counters.SlavesStarted, $"{ended} slaves have ended with a cause");
        Require((ulong)reasons.Starts.Count + reasons[SlaveEnd.Start] <= engine.Counters.SlavesStarted, "a slave was ready and never was");
        Require(engine.Counters.JobsWaited <= engine.Counters.JobsAccepted, "more jobs waited than came");
        int limit = world.Settings.QueueLimit;
        Require(limit == 0 || engine.Queue.Count <= limit + model.WaitingAgain, $"{engine.Queue.Count} are queued");
        Require(engine.Pool.Roster.Total == world.Links.Count, $"{world.Links.Count} slaves live, but the pool has {engine.Pool.Roster.Total}");
        int leaving = world.Links.Count(link => link.TerminateAsked || link.Slave.IsRetired || link.Slave.State == SlaveState.Draining);
        int replacement = engine.Pool.Recycler.Stage == RecycleStage.Launching ? 1 : 0;
        Require(engine.Pool.Roster.Total - leaving <= world.Settings.PoolLimit + replacement, $"the pool has {engine.Pool.Roster.Total} slaves, {leaving} leave");
        Require(engine.Pool.Roster.Total <= (2 * world.Settings.PoolLimit) + replacement, $"the pool has {engine.Pool.Roster.Total} slaves");
        bool recycles = world.Settings is not { MaxJobs: 0, MaxAgeMs: 0, MaxRssBytes: 0 } || engine.Counters.JobsAbandoned > 0;
        int cap = world.StartsAtOnce + (recycles ? 2 : 0); // a replacement, and one whose worn slave has died meanwhile
        Require(engine.Pool.Roster.Starting <= cap, $"{engine.Pool.Roster.Starting} slaves start at a time");
        Require(engine.Queue.Usual == 0 || engine.Pool.Pick() is null, "a request waits although a slave has room");
        int suspects = model.Waiting - model.WaitingUsual - model.Placed;
        Require(engine.Queue.Suspects.Count == suspects, $"{engine.Queue.Suspects.Count} suspects wait, and should be {suspects}");
        bool hasOne = world.Links.Exists(link => link.Slave.Solo.Stage != SoloStage.None);
        Require(engine.Queue.Suspects.Count == 0 || hasOne || !world.Links.Exists(link => link.Slave.CanRunAlone),
            "a suspect waits although a slave is empty, and no other suspect has one");
        Require(engine.Queue.Suspects.Count > 0 || !world.Links.Exists(link => link.Slave.Solo.Stage == SoloStage.Clearing),
            "a slave is cleared for nobody");
        TaskMonitor task = world.Task;
        Require(task.TimeInQueue.Count == task.Done + task.Failed && task.TimeOnSlave.Count == task.Done + task.FailedOnSlave
            && (ulong)(task.Done + task.Failed) == model.Done + model.Failed, "a time was not counted");
        foreach (SimLink link in world.Links)
        {
            Require(link.Ahead.Count == link.Slave.Ahead.Count, $"slave {link.Slave.Generation} has {link.Ahead.Count} calls ahead, not {link.Slave.Ahead.Count}");
            Require(link.Channels.Count == link.Slave.Load, $"slave {link.Slave.Generation} has {link.Channels.Count} channels open");
            Require(link.Channels.Count(channel => !channel.IsOver) <= link.Concurrency, $"slave {link.Slave.Generation} has {link.Channels.Count} jobs");
        }

        foreach (SimRequest request in model.Open)
        {
            Require((request.Job?.Deaths?.Count ?? 0) == request.Charges, $"{request} is charged with {request.Job?.Deaths?.Count} deaths");
            Require(request is not { Phase: Phase.OnSlave, Job.RequestWay: RequestWay.Portions } || request.Link!.IsReadAsked,
                $"{request} goes on when its slave has read, and nobody asks");
            Require(!request.Pressed || (request.Link is { } link && (link.Backlog > 0 || link.IsReadAsked || link.Holds(request))), $"{request} waits for room that nobody makes");
        }
    }

    /// <summary>A slave is killed for its slowness only when the node has listened for as long as the slave may be silent.</summary>
    public static void OnKill(SimWorld world, SimLink link, string reason)
    {
        long sinceMs = reason switch
        {
            _ when reason.Contains("heartbeat-timeout", StringComparison.Ordinal) => link.LastHeardMs + world.Settings.HeartbeatTimeoutMs,
            _ when reason.Contains("startup-timeout", StringComparison.Ordinal) => link.StartedMs + world.Settings.StartupTimeoutMs,
            _ when reason.StartsWith("did not end", StringComparison.Ordinal) => link.TerminateMs + world.Settings.TerminationTimeoutMs,
            _ => 0,
        };
        Require(world.HeardMs >= sinceMs, $"slave {link.Slave.Generation} is killed before its time: {reason}");
    }

    /// <summary>Nothing outlives its bound.</summary>
    public static void AfterTimers(SimWorld world)
    {
        long now = world.NowMs, heard = world.HeardMs;
        world.Model.LookForBegun();
        foreach (SimRequest request in world.Model.Open)
        {
            Require(now < request.DeadlineMs, $"{request} lives after its deadline");
            long longest = world.Settings.JobTimeoutMs;
            Require(longest == 0 || request.Phase != Phase.OnSlave || heard < request.DispatchedMs + longest, $"{request} outlives its job-timeout");
            long queue = world.Settings.QueueTimeoutMs;
            bool isBegun = request.Phase == Phase.Placed && request.Link!.Ahead.Exists(one => one.Request == request && one.Number <= request.Link.Begun);
            Require(request.Phase != Phase.Placed || isBegun || now <= request.PlacedMs + EngineLimits.MostStandingMs + 1, $"{request} stands for too long");
            Require(queue == 0 || request.Phase is not (Phase.Waiting or Phase.Placed) || isBegun || now < request.WaitsSinceMs + queue, $"{request} waits too long");
            long silence = request.Policy.SilenceTimeoutMs;
            if (silence > 0 && request is { Phase: Phase.OnSlave, Link: { } link } && !link.IsPaused && !link.WasPaused)
            {
                Require(heard < Math.Max(link.LastHeardMs, request.DispatchedMs) + silence, $"{request} outlives the silence of its slave");
            }
        }

        long waitsMs = world.Model.Open.Where(request => request.Phase == Phase.Waiting).Select(request => now - request.QueuedMs).DefaultIfEmpty().Max();
        foreach (SimLink link in world.Links)
        {
            long keptMs = link.Slave.Solo.Stage == SoloStage.Running ? Math.Min(waitsMs, now - link.Slave.Solo.SinceMs) : 0;
            Require(keptMs <= EngineLimits.MaxAloneMs, $"a suspect keeps its slave from others that wait for {keptMs} ms");
            Require(link.IsKilled || !IsOverdue(world, link, heard), $"slave {link.Slave.Generation} ({link.Slave.State}) is not killed");
        }

        NoPlaceIsLost(world);
    }

    /// <summary>
    /// What a slave does not end is waited for as long as a slave may be silent, and no longer. Then a replacement comes, or when none is on
    /// its way the slave ends: as soon as there is nothing on it that anybody waits for, if it has no room or gets no more jobs.
    /// </summary>
    private static void NoPlaceIsLost(SimWorld world)
    {
        int waiting = 0;
        foreach (SimLink link in world.Links.Where(link => !link.IsKilled && !link.TerminateAsked && !link.IsPaused))
        {
            int lost = link.LostChannels();
            string what = $"slave {link.Slave.Generation} does not end {lost} of its {link.Channels.Count} calls";
            Require(link.Slave.Channels.Abandoned == lost, $"{what}, but the engine knows of {link.Slave.Channels.Abandoned}");
            Require(link.WasPaused || !link.Channels.Exists(channel => IsOverdue(world, channel)), $"{what} in its time, and is not killed");
            Require(!link.Channels.Exists(channel => IsGivenUpEarly(world, channel)), $"{what} and is given up before its time");
            Require(!link.Slave.IsRetired || lost == 0 || lost < link.Channels.Count, $"{what} and is waited for, although it is relieved");
            bool isTurn = world.Engine.Pool.Recycler.Stage == RecycleStage.Resting && world.Engine.Counters.RecyclingsFailed == 0
                && world.Engine.Counters.SlavesDiedYoung == 0 && world.RoomRefusals == 0 && world.Engine.Pool.Roster.Leaving < world.Engine.Pool.Roster.MostLeaving;
            Require(lost == 0 || link.Slave.IsRetired || !isTurn || world.Engine.State != EngineState.Running, $"{what} and is not replaced");
            waiting += lost == link.Concurrency ? 1 : 0;
        }

        // One of those that have no place for another call may wait for its replacement, which has its startup-timeout.
        Require(waiting == 0 || (waiting == 1 && world.Engine.Pool.Recycler.Stage == RecycleStage.Launching),
            $"{waiting} slaves can run nothing and are kept");
    }

    private static bool IsOverdue(SimWorld world, SimChannel channel) =>
        channel.Request is { IsOpen: false } request && (request.EndedBySilence || (request.RanTooLong && !request.Job!.IsAbandoned))
        && world.HeardMs >= request.EndedMs + world.Settings.TerminationTimeoutMs;

    private static bool IsGivenUpEarly(SimWorld world, SimChannel channel) =>
        channel.Request is { IsOpen: false, RanTooLong: true } request && request.Job!.IsAbandoned
        && world.HeardMs < request.EndedMs + world.Settings.TerminationTimeoutMs;

    public static void AtEnd(SimWorld world)
    {
        AfterStep(world);
        Require(world.Stopped == 1, $"the engine said {world.Stopped} times that it has stopped");
        Require(world.Engine.State == EngineState.Stopped, $"the engine is {world.Engine.State}");
        Require(world.Model.Open.Count == 0, "a request has no outcome");
        Require(world.Engine.Pool.Roster.Total == 0, "a slave lives");
        int armed = world.Timers.Count + world.Patience.Count;
        Require(armed == 0, $"{armed} timers are armed");
        foreach (Job job in world.Jobs)
        {
            Require(job.State == JobState.Free, $"job {job.Id} was never given back: {job.State}");
        }
    }

    private static bool IsOverdue(SimWorld world, SimLink link, long heard) =>
        link.TerminateAsked ? heard >= link.TerminateMs + world.Settings.TerminationTimeoutMs
        : link.Slave.State == SlaveState.Starting ? heard >= link.StartedMs + world.Settings.StartupTimeoutMs
        : !link.IsPaused && !link.WasPaused && link.Channels.Concat(link.Ahead).All(channel => channel.Request.Policy.SilenceTimeoutMs == 0)
            && heard >= link.LastHeardMs + world.Settings.HeartbeatTimeoutMs + WatchSlackMs;

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new BrokenPromise(what);
        }
    }
}
