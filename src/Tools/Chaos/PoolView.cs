using System.Text.Json;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>The slaves of an app and the jobs that wait for them, from the node's info.</summary>
internal sealed record PoolView
{
    private PoolView(JsonElement info)
    {
        State = info.GetProperty("state").GetString() ?? "";
        Waiting = info.GetProperty("queue").GetProperty("depth").GetInt64();
        Done = info.GetProperty("jobs").GetProperty("done").GetInt64();
        JsonElement pool = info.GetProperty("pool"), starts = pool.GetProperty("starts");
        Total = pool.GetProperty("total").GetInt32();
        Minimum = pool.GetProperty("minimum").GetInt32();
        Starts = starts.GetProperty("all").GetInt64();
        FailedStarts = starts.GetProperty("failed").GetInt64();
        NextTryMs = starts.GetProperty("next-try-ms").GetInt64();
        NoRoom = starts.GetProperty("no-room").GetString() ?? "";
        Ready = [.. pool.GetProperty("slaves").EnumerateArray()
            .Where(slave => slave.GetProperty("state").GetString() is "idle" or "busy")
            .Select(slave => slave.GetProperty("pid").GetInt32())];
    }

    public string State { get; }

    public long Waiting { get; }

    public long Done { get; }

    public int Total { get; }

    public int Minimum { get; }

    /// <summary>Slaves that were started so far.</summary>
    public long Starts { get; }

    public long FailedStarts { get; }

    /// <summary>Time until a start is tried again, ms; 0 when the pool does not wait.</summary>
    public long NextTryMs { get; }

    /// <summary>Why the node has no room for another slave; empty when it has.</summary>
    public string NoRoom { get; }

    /// <summary>Processes of the slaves that are ready.</summary>
    public IReadOnlyList<int> Ready { get; }

    /// <summary>Reads the answer to an info call.</summary>
    public static PoolView Of(JsonDocument info) => new(info.RootElement);

    public override string ToString() =>
        $"{Ready.Count} of {Total} workers are ready, {Waiting} jobs wait, the next start is in {NextTryMs} ms, state {State}";
}
