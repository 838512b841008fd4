using System.Text.Json;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Node.Shards;

/// <summary>The state of an engine at one moment.</summary>
internal sealed record EngineView
{
    /// <summary>The most jobs of a slave that info names: the oldest ones, which are probably the jobs that keep the slave busy.</summary>
    private const int MaxJobsOfASlave = 16;

    public required EngineState State { get; init; }

    public required bool IsPaused { get; init; }

    public required bool IsBroken { get; init; }

    public required bool IsFailing { get; init; }

    public required string LastFailure { get; init; }

    public required int Queued { get; init; }

    public required int Placed { get; init; }

    public required int Suspects { get; init; }

    public required long QueueBytes { get; init; }

    public required bool ServesNewest { get; init; }

    /// <summary>The age of the job that has waited longest, ms, with its fraction.</summary>
    public required double OldestAgeMs { get; init; }

    public required int Running { get; init; }

    public required int Limit { get; init; }

    public required int Minimum { get; init; }

    public required int Total { get; init; }

    public required int Starting { get; init; }

    public required int Idle { get; init; }

    public required int Busy { get; init; }

    public required int Leaving { get; init; }

    public required int Sleeping { get; init; }

    /// <summary>Jobs that a slave may have begun at once.</summary>
    public required int Concurrency { get; init; }

    /// <summary>The workers have wished for that number.</summary>
    public required bool IsConcurrencyWished { get; init; }

    public required int ThreadsLeft { get; init; }

    public required int CodeLeft { get; init; }

    public required int StartFailures { get; init; }

    public required long NextTryMs { get; init; }

    public required string NoRoomReason { get; init; }

    /// <summary>The slaves, each as a JSON object; none in a light view.</summary>
    public required IReadOnlyList<byte[]> Slaves { get; init; }

    /// <summary>The processes of the slaves; 0 of threads.</summary>
    public required IReadOnlyList<int> ProcessIds { get; init; }

    /// <summary>Copies the state; on the engine's loop.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="isLight">Without the slaves: for readers that come each second.</param>
    public static EngineView Of(AppEngine engine, bool isLight)
    {
        SlavePool pool = engine.Pool;
        SlaveRoster roster = pool.Roster;
        Job? oldest = engine.Queue.Oldest;
        return new EngineView
        {
            State = engine.State,
            IsPaused = engine.IsPaused,
            IsBroken = pool.IsBroken,
            IsFailing = pool.Starts.IsFailing,
            LastFailure = pool.LastFailure,
            Queued = engine.Queue.Count - (engine.Scope.Siblings?.WaitingGuests ?? 0), // guests count at home
            Placed = engine.Queue.Placed,
            Suspects = engine.Queue.Suspects.Count,
            QueueBytes = engine.Queue.SizeBytes,
            ServesNewest = engine.Queue.ServesNewest,
            OldestAgeMs = oldest is null ? 0 : Math.Max(0, engine.Loop.NowNs - oldest.ArrivedNs) / 1e6,
            Running = engine.RunningJobs - (engine.Scope.Siblings?.RunningGuests ?? 0),
            Limit = roster.Limit,
            Minimum = roster.Minimum,
            Total = roster.Total,
            Starting = roster.Starting,
            Idle = roster.Idle,
            Busy = roster.Busy,
            Leaving = roster.Leaving,
            Sleeping = pool.Cores.Sleeping,
            Concurrency = engine.Scope.Concurrency,
            IsConcurrencyWished = engine.Scope.IsConcurrencyWished,
            ThreadsLeft = pool.Backend.ThreadsLeft,
            CodeLeft = pool.Backend.CodeLeft,
            StartFailures = pool.Starts.Failures,
            NextTryMs = pool.Growth.NextTryMs,
            NoRoomReason = pool.Growth.NoRoomReason,
            ProcessIds = ProcessesOf(roster),
            Slaves = isLight ? [] : [.. roster.Slaves.Select(slave => Write(slave, engine.Loop.NowMs))],
        };
    }

    private static int[] ProcessesOf(SlaveRoster roster)
    {
        int[] ids = new int[roster.Slaves.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = roster.Slaves[i].Link?.ProcessId ?? 0; // 0 of a thread
        }

        return ids;
    }

    private static byte[] Write(Slave slave, long nowMs)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("id", slave.ShortId);
            json.WriteString("state", slave.State.ToString().ToLowerInvariant());
            json.WriteString("pipe", slave.Link.Kind);
            json.WriteNumber("pid", slave.Link.ProcessId);
            json.WriteNumber("load", slave.Load);
            json.WriteNumber("placed", slave.Ahead.Count);
            WriteRunning(json, slave, nowMs);
            if (slave.Channels.Abandoned > 0)
            {
                json.WriteNumber("abandoned", slave.Channels.Abandoned);
            }

            json.WriteNumber("jobs-done", slave.JobsDone);
            json.WriteNumber("age-ms", nowMs - slave.StartedMs);
            if (slave.Wear.RssBytes > 0)
            {
                json.WriteNumber("rss-bytes", slave.Wear.RssBytes);
            }

            json.WriteNumber("silent-ms", Math.Max(0, slave.Scope.Loop.ListenedMs - slave.LastHeardMs));
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>
    /// Writes the jobs that have been on a slave longest, up to the bound; "load" has their number. An answered job in this list is one
    /// that its worker continues although the caller has got an error.
    /// </summary>
    private static void WriteRunning(Utf8JsonWriter json, Slave slave, long nowMs)
    {
        json.WriteStartArray("jobs");
        foreach (Job job in slave.Channels.ToList().Where(job => job.State != JobState.Placed).Take(MaxJobsOfASlave))
        {
            json.WriteStartObject();
            json.WriteNumber("id", job.Id);
            json.WriteString("event", System.Text.Encoding.UTF8.GetString(job.Event));
            json.WriteNumber("age-ms", Math.Max(0, nowMs - Clock.MsOf(job.DispatchedNs)));
            if (job.IsAnswered)
            {
                json.WriteBoolean("answered", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
