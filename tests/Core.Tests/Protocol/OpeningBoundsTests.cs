using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>A part that is too long is known when its length is here, in every family of strings, and however few bytes have come.</summary>
public class OpeningBoundsTests
{
    public static TheoryData<byte> Families => [0xd9, 0xda, 0xdb, 0xc4, 0xc5, 0xc6];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_name_is_judged_by_its_head(byte family)
    {
        foreach (int length in (int[])[0, 1, 31, 255, 256, 257, 65_535, 60 << 20])
        {
            if (Head(family, length) is not { } head)
            {
                continue;
            }

            byte[] begun = [0x94, 0xcd, 1, 2, 0, 0x91, .. head];
            for (int here = 0; here < begun.Length; here++)
            {
                Assert.Equal(DecodeStatus.NeedMore, MessageDecoder.Decode(begun.AsSpan(0, here), ProtocolLimits.Default, out MessageLayout part));
                Assert.True(OpeningBounds.Fits(in part, OpeningBounds.MaxMessageBytes));
            }

            Assert.Equal(DecodeStatus.NeedMore, MessageDecoder.Decode(begun, ProtocolLimits.Default, out MessageLayout layout));
            Assert.Equal((258UL, 0UL, begun.Length + length), (layout.Channel, layout.Type, layout.TotalBytes));
            Assert.Equal(length <= 256, OpeningBounds.Fits(in layout, OpeningBounds.MaxMessageBytes));
        }
    }

    [Theory]
    [InlineData(4096 - 3, true)] // and the head of the tag
    [InlineData(4096 - 2, false)]
    [InlineData(60_000, false)]
    public void A_tag_is_judged_by_its_head_and_when_it_is_whole(int length, bool fits)
    {
        byte[] message = [0x93, 1, 0, 0x92, 0xa4, .. "echo"u8, .. Head(0xda, length)!, .. new byte[length]];
        for (int here = 0; here <= message.Length; here += here < 20 ? 1 : 500)
        {
            MessageDecoder.Decode(message.AsSpan(0, here), ProtocolLimits.Default, out MessageLayout layout);
            Assert.Equal(fits || here < 12, OpeningBounds.Fits(in layout, OpeningBounds.MaxMessageBytes));
        }

        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(message, ProtocolLimits.Default, out MessageLayout whole));
        Assert.Equal(fits, OpeningBounds.Fits(in whole, OpeningBounds.MaxMessageBytes));
        Assert.Contains(fits ? "65536" : "4096", OpeningBounds.Problem(in whole, OpeningBounds.MaxMessageBytes));
    }

    [Fact]
    public void A_tag_of_many_values_and_long_headers_are_judged_by_what_is_known_of_them()
    {
        byte[] values = [0x93, 1, 0, 0x92, 0xa4, .. "echo"u8, 0xdc, 0xff, 0xff, .. Enumerable.Repeat((byte)0xc0, 4095)];
        Assert.Equal(DecodeStatus.NeedMore, MessageDecoder.Decode(values, ProtocolLimits.Default, out MessageLayout tag));
        Assert.False(OpeningBounds.Fits(in tag, OpeningBounds.MaxMessageBytes));

        byte[] headers = [0x94, 1, 0, 0x91, 0xa4, .. "echo"u8, 0x91, 0x93, 0xc2, 0xa1, (byte)'a', 0xdb, 3, 0, 0, 0];
        Assert.Equal(DecodeStatus.NeedMore, MessageDecoder.Decode(headers, ProtocolLimits.Default, out MessageLayout layout));
        Assert.Equal(headers.Length + (48 << 20), layout.TotalBytes);
        Assert.False(OpeningBounds.Fits(in layout, OpeningBounds.MaxMessageBytes));
        Assert.True(OpeningBounds.Fits(in layout, int.MaxValue));
    }

    /// <summary>Whatever the bytes are: a head that is cut is the only part that is not counted.</summary>
    [Fact]
    public void The_known_length_never_shrinks_and_is_at_most_a_head_behind()
    {
        Random random = new(8);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = [0x94, (byte)random.Next(128), 0, 0x92, .. Value(random, 2), .. Value(random, 2), 0x91, .. Value(random, 2)];
            int known = 0;
            for (int here = 0; here < bytes.Length; here++)
            {
                if (MessageDecoder.Decode(bytes.AsSpan(0, here), ProtocolLimits.Default, out MessageLayout layout) != DecodeStatus.NeedMore)
                {
                    Assert.Fail($"{Convert.ToHexString(bytes)} at {here}");
                }

                Assert.InRange(layout.TotalBytes, Math.Max(known, here - 8), bytes.Length);
                known = layout.TotalBytes;
            }

            Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout whole));
            Assert.Equal(bytes.Length, whole.TotalBytes);
        }
    }

    private static byte[] Value(Random random, int depth)
    {
        int length = random.Next(20);
        return (depth > 0 ? random.Next(4) : random.Next(3)) switch
        {
            0 => [(byte)random.Next(128)],
            1 => [(byte)(0xa0 + length), .. new byte[length]],
            2 => [0xc5, 0, (byte)length, .. new byte[length]],
            _ => [(byte)(0x90 + length % 4), .. Enumerable.Range(0, length % 4).SelectMany(_ => Value(random, depth - 1))],
        };
    }

    private static byte[]? Head(byte family, int length) => family switch
    {
        0xd9 or 0xc4 => length <= byte.MaxValue ? [family, (byte)length] : null,
        0xda or 0xc5 => length <= ushort.MaxValue ? [family, (byte)(length >> 8), (byte)length] : null,
        _ => [family, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
    };
}
