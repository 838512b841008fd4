using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>
/// A turn's messages of 64 bytes from one side to the other, on one thread: what is between two processes of ours, and what is between two
/// threads of others.
/// </summary>
public class RingBenchmarks : IDisposable
{
    private readonly byte[] _message = new byte[64];
    private readonly Segment _segment = Segment.Create(1 << 20, generation: 1, spinMicroseconds: 0, shared: true);
    private readonly ConcurrentQueue<byte[]> _queue = new();
    private readonly Channel<byte[]> _channel = System.Threading.Channels.Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(4096) { SingleReader = true, SingleWriter = true });

    private ByteRingWriter _writer = null!;
    private ByteRingReader _reader = null!;

    /// <summary>Messages of one turn.</summary>
    [Params(1, 64)]
    public int Messages { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _writer = new ByteRingWriter(_segment.Requests);
        _reader = new ByteRingReader(_segment.Requests);
    }

    [Benchmark(Baseline = true, Description = "ring in a memfd")]
    public int Ring()
    {
        for (int i = 0; i < Messages; i++)
        {
            _message.CopyTo(_writer.BeginMessage(64));
            _writer.EndMessage(64);
        }

        _writer.Publish();
        int bytes = 0;
        while (_reader.TryRead(out ReadOnlySpan<byte> payload, out _) == RingRead.Record)
        {
            bytes += payload.Length;
        }

        _reader.Release();
        return bytes;
    }

    [Benchmark(Description = "Channel of pooled arrays")]
    public int Channel()
    {
        for (int i = 0; i < Messages; i++)
        {
            _channel.Writer.TryWrite(Copy());
        }

        int bytes = 0;
        while (_channel.Reader.TryRead(out byte[]? message))
        {
            bytes += message.Length;
            ArrayPool<byte>.Shared.Return(message);
        }

        return bytes;
    }

    [Benchmark(Description = "ConcurrentQueue of pooled arrays")]
    public int Queue()
    {
        for (int i = 0; i < Messages; i++)
        {
            _queue.Enqueue(Copy());
        }

        int bytes = 0;
        while (_queue.TryDequeue(out byte[]? message))
        {
            bytes += message.Length;
            ArrayPool<byte>.Shared.Return(message);
        }

        return bytes;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _segment.Dispose();
        GC.SuppressFinalize(this);
    }

    private byte[] Copy()
    {
        byte[] copy = ArrayPool<byte>.Shared.Rent(_message.Length);
        _message.CopyTo(copy, 0);
        return copy;
    }
}
