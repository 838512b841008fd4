using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>The message that holds one channel's chunks, or lets them go on.</summary>
public class FlowControlTests
{
    [Fact]
    public void Whatever_is_written_is_read() =>
        Gen.Select(Gen.ULong, Gen.ULong[0, 300], Gen.Bool, Gen.Bool).Sample((wide, small, isWide, hold) =>
        {
            ulong channel = isWide ? wide : small;
            MemorySink sink = new();
            MessageWriter.WriteFlow(sink, MessageWriter.ControlChannel, channel, hold);
            Assert.Equal((true, channel, hold), Read(sink.Written.ToArray()));
        }, iter: 2000);

    [Fact]
    public void The_bytes_are_those_of_the_document()
    {
        MemorySink sink = new();
        MessageWriter.WriteFlow(sink, FlowControl.ClientControlChannel, 5, hold: true);
        MessageWriter.WriteFlow(sink, FlowControl.ClientControlChannel, 5, hold: false);
        Assert.Equal([0x93, 0, 2, 0x92, 5, 1, 0x93, 0, 2, 0x92, 5, 0], sink.Written.ToArray());
    }

    [Theory]
    [InlineData(5UL, true, new byte[] { 0x92, 5, 1 })]
    [InlineData(5UL, true, new byte[] { 0x92, 0xcc, 5, 0xcc, 1 })]
    [InlineData(5UL, false, new byte[] { 0x92, 0xcd, 0, 5, 0xcd, 0, 0 })]
    [InlineData(5UL, true, new byte[] { 0x92, 0xce, 0, 0, 0, 5, 0xce, 0, 0, 0, 1 })]
    [InlineData(5UL, true, new byte[] { 0x92, 0xd0, 5, 0xd1, 0, 1 })]
    [InlineData(5UL, true, new byte[] { 0xdd, 0, 0, 0, 2, 0xcf, 0, 0, 0, 0, 0, 0, 0, 5, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1 })]
    [InlineData(1UL << 63, true, new byte[] { 0x92, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0, 1 })]
    public void Numbers_may_have_every_width(ulong channel, bool hold, byte[] arguments) =>
        Assert.Equal((true, channel, hold), Read([0x93, 1, 2, .. arguments]));

    [Theory]
    [InlineData(new byte[] { 0x90 })]
    [InlineData(new byte[] { 0x91, 5 })]
    [InlineData(new byte[] { 0x92, 5, 2 })]
    [InlineData(new byte[] { 0x92, 5, 0xff })]
    [InlineData(new byte[] { 0x92, 0xff, 1 })]
    [InlineData(new byte[] { 0x92, 5, 0xc3 })]
    [InlineData(new byte[] { 0x92, 5, 0xa1, (byte)'1' })]
    [InlineData(new byte[] { 0x92, 0xa1, (byte)'5', 1 })]
    [InlineData(new byte[] { 0x92, 0x92, 5, 1, 1 })]
    [InlineData(new byte[] { 0x92, 0xc0, 1 })]
    [InlineData(new byte[] { 0x93, 5, 1, 1 })]
    public void Anything_else_is_no_such_message(byte[] arguments) => Assert.False(Read([0x93, 1, 2, .. arguments]).IsFlow);

    private static (bool IsFlow, ulong Channel, bool Hold) Read(byte[] bytes)
    {
        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout));
        Assert.Equal((bytes.Length, 2UL), (layout.TotalBytes, layout.Type));
        bool isFlow = FlowControl.TryRead(new MessageView(in layout, bytes), out ulong channel, out bool hold);
        return (isFlow, channel, hold);
    }
}
