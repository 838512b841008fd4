using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Core.Protocol;
using MessagePack;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>The three frames of a usual request: enqueue, a chunk of 64 bytes, close.</summary>
internal static class UsualFrames
{
    public const ulong Channel = 1000;

    public static readonly byte[] Name = Encoding.UTF8.GetBytes("echo");
    public static readonly byte[] Payload = new byte[64];

    public static void Write(MemorySink sink)
    {
        sink.Clear();
        MessageWriter.WriteEnqueue(sink, Channel, Name, default, bin: true);
        MessageWriter.WriteChunk(sink, Channel, new Payload(Payload), bin: true);
        MessageWriter.WriteClose(sink, Channel);
    }
}

/// <summary>Finding the parts of three frames.</summary>
public class DecodeBenchmarks
{
    private byte[] _frames = [];

    [GlobalSetup]
    public void Setup()
    {
        MemorySink sink = new();
        UsualFrames.Write(sink);
        _frames = sink.Written.ToArray();
    }

    [Benchmark(Baseline = true, Description = "MessageDecoder")]
    public int Ours()
    {
        ReadOnlySpan<byte> rest = _frames;
        int bytes = 0;
        while (!rest.IsEmpty)
        {
            MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout);
            bytes += layout.DataLength;
            rest = rest[layout.TotalBytes..];
        }

        return bytes;
    }

    [Benchmark(Description = "MessagePackReader")]
    public long Package()
    {
        MessagePackReader reader = new(_frames);
        long bytes = 0;
        while (!reader.End)
        {
            int fields = reader.ReadArrayHeader();
            reader.ReadUInt64();
            reader.ReadByte();
            for (int left = reader.ReadArrayHeader(); left > 0; left--)
            {
                bytes += reader.ReadBytes()!.Value.Length;
            }

            for (; fields > 3; fields--)
            {
                reader.Skip();
            }
        }

        return bytes;
    }
}

/// <summary>Writing three frames.</summary>
public class EncodeBenchmarks
{
    private readonly MemorySink _sink = new();
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    [Benchmark(Baseline = true, Description = "MessageWriter")]
    public int Ours()
    {
        UsualFrames.Write(_sink);
        return _sink.Written.Length;
    }

    [Benchmark(Description = "MessagePackWriter")]
    public int Package()
    {
        _buffer.ResetWrittenCount();
        MessagePackWriter writer = new(_buffer);
        WriteStart(ref writer, 0, 1);
        writer.Write(UsualFrames.Name);
        WriteStart(ref writer, 0, 1);
        writer.Write(UsualFrames.Payload);
        WriteStart(ref writer, 2, 0);
        writer.Flush();
        return _buffer.WrittenCount;
    }

    private static void WriteStart(ref MessagePackWriter writer, int type, int arguments)
    {
        writer.WriteArrayHeader(3);
        writer.Write(UsualFrames.Channel);
        writer.Write(type);
        writer.WriteArrayHeader(arguments);
    }
}
