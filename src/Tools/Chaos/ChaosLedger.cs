using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>The counts of a run, from the load's loop and the agent's tasks.</summary>
internal sealed class ChaosLedger(TextWriter progress)
{
    /// <summary>The most faults that are kept: a broken node can break every request, and so many faults are enough.</summary>
    private const int MaxFaults = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _outcomes = [];
    private readonly Dictionary<string, (int Done, int Skipped, string Note)> _actions = [];
    private readonly List<string> _faults = [];
    private readonly List<string> _unchecked = [];
    private readonly List<ChaosSample> _samples = [];
    private readonly LatencyHistogram _latency = new();
    private long _noSlaves;
    private readonly long _startMs = Environment.TickCount64;

    public double Seconds => (Environment.TickCount64 - _startMs) / 1000.0;

    public int CounterChecks { get; set; }

    public int NodeStarts { get; set; }

    /// <summary>Requests that got the error that the app cannot be started.</summary>
    public long NoSlaves => Interlocked.Read(ref _noSlaves);

    /// <summary>The time of the last scribble on a segment, ms of Environment.TickCount64; 0 for never.</summary>
    public long ScribbledMs { get; set; }

    public IReadOnlyList<ChaosSample> Samples
    {
        get
        {
            lock (_lock)
            {
                return [.. _samples];
            }
        }
    }

    public void Outcome(string what)
    {
        lock (_lock)
        {
            _outcomes[what] = _outcomes.GetValueOrDefault(what) + 1;
        }
    }

    /// <summary>A request got the error that the app cannot be started.</summary>
    public void NoSlave() => Interlocked.Increment(ref _noSlaves);

    public void Done(long nanoseconds)
    {
        lock (_lock)
        {
            _latency.Record(nanoseconds);
            _outcomes["done"] = _outcomes.GetValueOrDefault("done") + 1;
        }
    }

    public void Action(string name, bool done, string note)
    {
        lock (_lock)
        {
            (int Done, int Skipped, string Note) was = _actions.GetValueOrDefault(name);
            _actions[name] = done ? (was.Done + 1, was.Skipped, was.Note ?? "") : (was.Done, was.Skipped + 1, note);
        }

        progress.WriteLine($"{Seconds,7:F1} s  {name}{(done ? "" : " (skipped)")}{(note.Length > 0 ? ": " + note : "")}");
    }

    public void Fault(string what)
    {
        lock (_lock)
        {
            if (_faults.Count < MaxFaults)
            {
                _faults.Add($"{Seconds:F1} s: {what}");
            }
        }

        progress.WriteLine($"{Seconds,7:F1} s  FAULT: {what}");
    }

    /// <summary>A promise cannot be checked.</summary>
    public void Unchecked(string what)
    {
        lock (_lock)
        {
            _unchecked.Add(what);
        }
    }

    public void Sample(ChaosSample sample)
    {
        lock (_lock)
        {
            _samples.Add(sample);
        }
    }

    public ChaosResult Result(string? logPath)
    {
        lock (_lock)
        {
            LatencySnapshot latency = _latency.Snapshot();
            return new ChaosResult
            {
                Actions = [.. _actions.Select(
                    pair => new ChaosActionCount(pair.Key, pair.Value.Done, pair.Value.Skipped, pair.Value.Note))],
                Outcomes = new Dictionary<string, long>(_outcomes),
                LatencyMs = (latency.P50 / 1e6, latency.P99 / 1e6, latency.Max / 1e6),
                CounterChecks = CounterChecks,
                NodeStarts = NodeStarts,
                Samples = [.. _samples],
                Unchecked = [.. _unchecked],
                Faults = [.. _faults],
                LogPath = logPath,
            };
        }
    }
}
