using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Monitoring;
using HdrHistogram;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>A latency into a histogram.</summary>
public class HistogramBenchmarks
{
    private const long LongestNs = 3_600_000_000_000; // an hour
    private const int Digits = 2;                      // 1 %; ours has 3 %

    private readonly LatencyHistogram _ours = new();
    private readonly LongHistogram _theirs = new(LongestNs, Digits);
    private long _value = 1;

    [Benchmark(Baseline = true, Description = "LatencyHistogram.Record")]
    public void Ours() => _ours.Record(Next());

    [Benchmark(Description = "HdrHistogram.RecordValue")]
    public void Package() => _theirs.RecordValue(Next());

    // Some ns to some tens of ms, without a pattern that a branch predictor learns.
    private long Next() => _value = ((_value * 1_103_515_245) + 12_345) & 0x1ff_ffff;
}

/// <summary>The 99th percentile of a histogram.</summary>
public class PercentileBenchmarks
{
    private readonly LatencyHistogram _ours = new();
    private readonly LongHistogram _theirs = new(3_600_000_000_000, 2);

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        for (int i = 0; i < 100_000; i++)
        {
            long value = random.NextInt64(1 << 25);
            _ours.Record(value);
            _theirs.RecordValue(value);
        }
    }

    [Benchmark(Baseline = true, Description = "LatencyHistogram.ValueAtPercentile")]
    public long Ours() => _ours.ValueAtPercentile(99);

    [Benchmark(Description = "HdrHistogram.GetValueAtPercentile")]
    public long Package() => _theirs.GetValueAtPercentile(99);
}
