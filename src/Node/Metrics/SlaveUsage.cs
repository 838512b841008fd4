using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>
/// The CPU time and memory of the processes of slaves. The thread that asks reads them, at most every five seconds, and nothing runs while
/// nobody asks. The CPU time of a slave after the last look before its end is not counted.
/// </summary>
internal sealed class SlaveUsage
{
    /// <summary>The time between two looks: a look opens a file of each slave, which takes 20 µs.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new(); // guards all; a look that takes long holds up only further readers of these figures
    private readonly Dictionary<RunningApp, Usage> _apps = [];
    private long _lookedAt; // 0 before the first look

    /// <summary>Gives each sample the figures of its app's slaves.</summary>
    public void AddTo(IReadOnlyList<AppSample> samples, TimeProvider clock)
    {
        lock (_lock)
        {
            bool looks = _lookedAt == 0 || clock.GetElapsedTime(_lookedAt) >= Period;
            if (looks)
            {
                _lookedAt = clock.GetTimestamp();
                HashSet<RunningApp> present = [.. samples.Select(sample => sample.App)];
                foreach (RunningApp gone in _apps.Keys.Where(app => app.Phase == AppPhase.Stopped && !present.Contains(app)).ToArray())
                {
                    _apps.Remove(gone);
                }
            }

            foreach (AppSample sample in samples)
            {
                if (!_apps.TryGetValue(sample.App, out Usage? usage))
                {
                    _apps.Add(sample.App, usage = new Usage());
                    usage.Look(sample.ProcessIds);
                }
                else if (looks)
                {
                    usage.Look(sample.ProcessIds);
                }

                (sample.SlaveCpuSeconds, sample.SlaveBytes) = (usage.CpuSeconds, usage.ResidentBytes);
            }
        }
    }

    private sealed class Usage
    {
        private Dictionary<int, ProcessTimes> _slaves = [];

        /// <summary>Of all slaves that were seen, those that have ended too.</summary>
        public double CpuSeconds { get; private set; }

        /// <summary>Of the slaves that live.</summary>
        public long ResidentBytes { get; private set; }

        public void Look(IReadOnlyList<int> processIds)
        {
            Dictionary<int, ProcessTimes> seen = [];
            foreach (int id in processIds)
            {
                if (ProcessTimes.Read($"/proc/{id}/stat") is { } now)
                {
                    bool isKnown = _slaves.TryGetValue(id, out ProcessTimes before) && before.Started == now.Started;
                    CpuSeconds += Math.Max(0, now.CpuSeconds - (isKnown ? before.CpuSeconds : 0));
                    seen[id] = now;
                }
            }

            _slaves = seen;
            ResidentBytes = seen.Values.Sum(one => one.ResidentBytes);
        }
    }
}
