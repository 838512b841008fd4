using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>Messages over the limit, of which the end is known.</summary>
public class OverlongMessageTests
{
    private static readonly ProtocolLimits Small = new() { MaxMessageBytes = 100 };

    [Theory]
    [InlineData(2UL, 101, true)]
    [InlineData(127UL, 255, true)]
    [InlineData(128UL, 256, false)]
    [InlineData(65_536UL, 70_000, true)]
    [InlineData(ulong.MaxValue, 70_000, false)]
    public void A_chunk_tells_its_channel_and_its_end(ulong channel, int size, bool bin)
    {
        MemorySink sink = new();
        MessageWriter.WriteChunk(sink, channel, new Payload(new byte[size]), bin);
        for (int length = 0; length < OverlongMessage.MaxHeadBytes; length++)
        {
            ReadOnlySpan<byte> start = sink.Written[..length];
            DecodeStatus status = MessageDecoder.Decode(start, Small, out _);
            OverlongMessage? message = OverlongMessage.Read(start, Small);
            Assert.Equal(status == DecodeStatus.TooLarge, message is not null);
            Assert.True(message is not { } read || read == new OverlongMessage(channel, MessageType.Chunk, size, sink.Written.Length));
        }
    }

    [Fact]
    public void An_error_tells_them_too()
    {
        MemorySink sink = new();
        MessageWriter.WriteError(sink, 300, int.MinValue, int.MaxValue, new byte[1000]);
        Assert.Equal(
            new OverlongMessage(300, MessageType.Error, 1000, sink.Written.Length),
            OverlongMessage.Read(sink.Written[..OverlongMessage.MaxHeadBytes], Small));
    }

    [Theory]
    [InlineData("940500 91 c500c8")]    // headers follow, and nobody knows how long they are
    [InlineData("930500 92 c500c8")]    // another argument follows
    [InlineData("930502 91 c500c8")]    // a close
    [InlineData("930501 92 9101 c500c8")]
    [InlineData("930500 91 91 c500c8")] // nested
    [InlineData("93ff00 91 c500c8")]    // a channel below zero
    [InlineData("930500 91 dc00c8")]
    [InlineData("930500 91 c40a")]      // not too long
    [InlineData("")]
    [InlineData("c1")]
    public void All_others_have_no_known_end(string hex) =>
        Assert.Null(OverlongMessage.Read(Convert.FromHexString(hex.Replace(" ", "")), Small));
}
