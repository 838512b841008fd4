using System.Buffers;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Protocol;

public class CodecPropertyTests
{
    private static readonly ProtocolLimits Limits = ProtocolLimits.Default;

    private static readonly Gen<byte[]> Messages = Gen.Select(Gen.Int[0, 5], Gen.ULong[1, ulong.MaxValue], Gen.Byte.Array[0, 300], Gen.Bool)
        .Select((kind, channel, bytes, bin) => Write(kind, channel, bytes, bin));

    [Fact]
    public void What_is_written_is_read() =>
        Gen.Select(Gen.ULong[1, ulong.MaxValue], Gen.Byte.Array[0, 70_000], Gen.Bool).Sample((channel, data, bin) =>
    {
        byte[] bytes = Write(0, channel, data, bin);
        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, Limits, out MessageLayout layout));
        Assert.Equal((channel, 0UL, bytes.Length, ArgumentShape.Data), (layout.Channel, layout.Type, layout.TotalBytes, layout.Shape));
        Assert.Equal(data, bytes[layout.DataOffset..(layout.DataOffset + layout.DataLength)]);
        Assert.Equal(bin, layout.SawBin);
    }, iter: 2000);

    [Fact]
    public void Errors_keep_category_code_and_reason() =>
        Gen.Select(Gen.Int, Gen.Int, Gen.String[0, 3000]).Sample((category, code, reason) =>
    {
        MemorySink sink = new();
        MessageWriter.WriteError(sink, 7, category, code, reason);
        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(sink.Written, Limits, out MessageLayout layout));
        Assert.Equal((category, code), (layout.Category, layout.Code));
        byte[] text = Encoding.UTF8.GetBytes(reason);
        Assert.Equal(text.AsSpan(0, Math.Min(text.Length, layout.TextLength)), sink.Written.Slice(layout.TextOffset, layout.TextLength));
    }, iter: 2000);

    [Fact]
    public void A_prefix_of_a_message_needs_more() => Messages.Sample(bytes =>
    {
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(DecodeStatus.NeedMore, MessageDecoder.Decode(bytes.AsSpan(0, length), Limits, out _));
        }
    }, iter: 500);

    [Fact]
    public void Segments_change_nothing() => Gen.Select(Messages, Gen.Int[1, 40]).Sample((bytes, piece) =>
    {
        ReadOnlySequence<byte> sequence = Segments.Of(bytes, piece);
        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(in sequence, Limits, out MessageLayout across));
        MessageDecoder.Decode(bytes, Limits, out MessageLayout whole);
        Assert.Equal(whole, across);
    }, iter: 2000);

    [Fact]
    public void Old_peers_get_only_what_they_know() =>
        Gen.Select(Gen.Int[0, 5], Gen.ULong[1, 1 << 20], Gen.Byte.Array[0, 70_000]).Sample((kind, channel, data) =>
    {
        if (kind != 4) // a handshake is ours alone
        {
            MessageDecoder.Decode(Write(kind, channel, data, bin: false), Limits, out MessageLayout layout);
            Assert.False(layout.SawBin);
        }
    }, iter: 1000);

    [Fact]
    public void Too_large_is_said_before_the_bytes_come()
    {
        byte[] four = [0x93, 5, 0, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff];
        Assert.Equal(DecodeStatus.TooLarge, MessageDecoder.Decode(four, Limits, out MessageLayout layout));
        Assert.Equal(5UL, layout.Channel);
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        byte[] deep = [0x93, 1, 0, .. Enumerable.Repeat((byte)0x91, 10_000), 0xc0];
        Assert.Equal(DecodeStatus.Malformed, MessageDecoder.Decode(deep, Limits, out MessageLayout layout));
        Assert.Equal("values nested too deep", layout.Problem);
    }

    [Theory]
    [InlineData("c0")]
    [InlineData("9201")]
    [InlineData("93ff0090")]
    [InlineData("9301c090")]
    [InlineData("930100a0")]
    [InlineData("940100900a")]
    [InlineData("93c1")]
    public void What_is_no_message_is_malformed(string hex)
    {
        Assert.Equal(DecodeStatus.Malformed, MessageDecoder.Decode(Convert.FromHexString(hex), Limits, out MessageLayout layout));
        Assert.NotNull(layout.Problem);
    }

    [Fact]
    public void Extra_elements_and_nil_headers_are_skipped()
    {
        byte[] bytes = [0x95, 9, 2, 0x90, 0xc0, 0x92, 1, 2];
        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, Limits, out MessageLayout layout));
        Assert.Equal((9UL, 2UL, bytes.Length, 0), (layout.Channel, layout.Type, layout.TotalBytes, layout.HeadersLength));
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        MemorySink sink = new(1 << 16);
        byte[] data = new byte[64];
        RoundTrip(sink, data, 1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RoundTrip(sink, data, 100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void RoundTrip(MemorySink sink, byte[] data, int count)
    {
        for (int i = 0; i < count; i++)
        {
            sink.Clear();
            MessageWriter.WriteInvoke(sink, (ulong)i + 2, "echo"u8, default);
            MessageWriter.WriteChunk(sink, (ulong)i + 2, new Payload(data), bin: true);
            MessageWriter.WriteClose(sink, (ulong)i + 2);
            ReadOnlySpan<byte> rest = sink.Written;
            while (!rest.IsEmpty && MessageDecoder.Decode(rest, Limits, out MessageLayout layout) == DecodeStatus.Ok)
            {
                rest = rest[layout.TotalBytes..];
            }
        }
    }

    private static byte[] Write(int kind, ulong channel, byte[] bytes, bool bin)
    {
        MemorySink sink = new();
        switch (kind)
        {
            case 0:
                MessageWriter.WriteChunk(sink, channel, new Payload(bytes), bin);
                break;
            case 1:
                MessageWriter.WriteClose(sink, channel);
                break;
            case 2:
                MessageWriter.WriteError(sink, channel, 1000, 502, bytes.AsSpan(0, Math.Min(bytes.Length, 2000)));
                break;
            case 3:
                MessageWriter.WriteInvoke(sink, channel, "event"u8, default);
                break;
            case 4:
                MessageWriter.WriteHandshake(sink, "0b2cb2c4-7a5b-4ef0-8d4e-4c1c5b1a7a11", new WorkerOffer(Pipe: true, Flow: true));
                break;
            default:
                MessageWriter.WriteTerminate(sink, 1, "reason");
                break;
        }

        return sink.Written.ToArray();
    }
}

internal sealed class Segments : ReadOnlySequenceSegment<byte>
{
    private Segments(ReadOnlyMemory<byte> memory, long index)
    {
        Memory = memory;
        RunningIndex = index;
    }

    /// <summary>The bytes in segments of so many.</summary>
    public static ReadOnlySequence<byte> Of(byte[] bytes, int size)
    {
        Segments first = new(bytes.AsMemory(0, Math.Min(size, bytes.Length)), 0);
        Segments last = first;
        for (int at = size; at < bytes.Length; at += size)
        {
            Segments next = new(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), at);
            last.Next = next;
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
