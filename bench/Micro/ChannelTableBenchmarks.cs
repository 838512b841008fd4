using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>
/// A request's life in the table of a connection: added, found twice (its chunk, its close), removed, while others are open.
/// </summary>
public class ChannelTableBenchmarks
{
    private readonly ChannelTable<object> _table = new();
    private readonly Dictionary<ulong, object> _dictionary = [];
    private readonly object _channel = new();
    private ulong _number;

    /// <summary>Channels that are open meanwhile.</summary>
    [Params(8, 1000)]
    public int Open { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        for (_number = 1; _number <= (ulong)Open; _number++)
        {
            _table.Add(_number, _channel);
            _dictionary.Add(_number, _channel);
        }
    }

    [Benchmark(Baseline = true, Description = "ChannelTable")]
    public bool Ours()
    {
        ulong number = _number++;
        _table.Add(number, _channel);
        bool found = _table.TryGet(number, out _) & _table.TryGet(number, out _);
        _table.Remove(number - (ulong)Open, out _); // the oldest goes, as with answers in the order of requests
        return found;
    }

    [Benchmark(Description = "Dictionary")]
    public bool Framework()
    {
        ulong number = _number++;
        _dictionary.Add(number, _channel);
        bool found = _dictionary.TryGetValue(number, out _) & _dictionary.TryGetValue(number, out _);
        _dictionary.Remove(number - (ulong)Open, out _);
        return found;
    }
}
