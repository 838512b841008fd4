using System.Collections.Concurrent;
using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>One job into the queue of an app and one out of it, while others wait.</summary>
public class QueueBenchmarks
{
    private readonly JobQueue _ours = new();
    private readonly ConcurrentQueue<object> _concurrent = new();
    private readonly PriorityQueue<object, long> _priority = new();
    private readonly Channel<object> _channel = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
    private long _number;

    /// <summary>Jobs that wait meanwhile.</summary>
    [Params(1000)]
    public int Waiting { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < Waiting; i++)
        {
            Job job = new(null!, new BlockPool());
            _ours.Add(job);
            _concurrent.Enqueue(job);
            _priority.Enqueue(job, _number++);
            _channel.Writer.TryWrite(job);
        }
    }

    [Benchmark(Baseline = true, Description = "JobQueue")]
    public void Ours()
    {
        Job job = _ours.Next(nowNs: 0)!;
        _ours.Remove(job);
        _ours.Add(job);
    }

    [Benchmark(Description = "ConcurrentQueue")]
    public void Concurrent()
    {
        _concurrent.TryDequeue(out object? job);
        _concurrent.Enqueue(job!);
    }

    [Benchmark(Description = "PriorityQueue")]
    public void Priority() => _priority.Enqueue(_priority.Dequeue(), _number++);

    [Benchmark(Description = "Channel")]
    public void Channels()
    {
        _channel.Reader.TryRead(out object? job);
        _channel.Writer.TryWrite(job!);
    }
}

/// <summary>Work for a loop from another thread: eight pieces posted, then taken by the loop.</summary>
public class PostBenchmarks
{
    private const int Pieces = 8;

    private readonly Nothing[] _work = [.. Enumerable.Range(0, Pieces).Select(_ => new Nothing())];
    private readonly WorkQueue _ours = new();
    private readonly ConcurrentQueue<LoopWork> _concurrent = new();
    private readonly Channel<LoopWork> _channel = Channel.CreateUnbounded<LoopWork>(new UnboundedChannelOptions { SingleReader = true });

    [Benchmark(Baseline = true, Description = "WorkQueue")]
    public void Ours()
    {
        foreach (Nothing work in _work)
        {
            _ours.Add(work);
        }

        _ours.RunAll(static fault => throw fault);
    }

    [Benchmark(Description = "ConcurrentQueue")]
    public void Concurrent()
    {
        foreach (Nothing work in _work)
        {
            _concurrent.Enqueue(work);
        }

        while (_concurrent.TryDequeue(out LoopWork? work))
        {
            work.Run();
        }
    }

    [Benchmark(Description = "Channel")]
    public void Channels()
    {
        foreach (Nothing work in _work)
        {
            _channel.Writer.TryWrite(work);
        }

        while (_channel.Reader.TryRead(out LoopWork? work))
        {
            work.Run();
        }
    }

    private sealed class Nothing : LoopWork
    {
        public override void Run()
        {
        }
    }
}
