using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Rings;

/// <summary>Long messages go straight into the ring, and wait as received memory when there is no room.</summary>
public sealed class LongMessageTests
{
    private const int RingBytes = 4096;

    [Fact]
    public void Any_mix_of_long_and_short_messages_comes_in_order_and_leaves_no_memory_in_use() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3 * RingBytes], Gen.Int[1, 2000].Array[0, 6], Gen.Bool).Array[1, 60].Sample(steps =>
        {
            using PrivateRing memory = new(RingBytes);
            ByteRingWriter writer = new(memory.View);
            ByteRingReader reader = new(memory.View);
            PieceAssembler pieces = new(1 << 20);
            List<byte> expected = [], got = [];
            List<TestSegment> received = [];
            byte fill = 0;
            foreach ((int what, int size, int[] cuts, bool reads) in steps)
            {
                byte[] data = new byte[what == 0 ? size % 64 : size];
                Array.Fill(data, ++fill);
                byte[] head = [fill, 0, 1, 2, 3];
                byte[] tail = what == 3 ? [9, 9, fill] : [];
                TestSegment[] segments = what == 1 ? [] : TestSegment.Cut(data, cuts);
                received.AddRange(segments);
                Payload payload = what == 1 ? new Payload(data) : new Payload(TestSegment.Join(segments));
                writer.WriteLong(head, in payload, tail);
                expected.AddRange([.. head, .. data, .. tail]);
                if (reads)
                {
                    Pass(writer, reader, pieces, got);
                }
            }

            for (int i = 0; i < 10_000 && (writer.OverflowBytes > 0 || reader.HasRecords || writer.UnpublishedBytes > 0); i++)
            {
                Pass(writer, reader, pieces, got);
            }

            Assert.Equal((null, null, 0), (writer.Fault, reader.Fault, writer.OverflowBytes));
            Assert.Equal(expected, got);
            Assert.DoesNotContain(received, segment => segment.IsKept);
        }, iter: 500);

    [Fact]
    public void What_waits_is_not_copied_and_a_writer_that_stops_uses_it_no_more()
    {
        using PrivateRing memory = new(RingBytes);
        ByteRingWriter writer = new(memory.View);
        TestSegment[] segments = TestSegment.Cut(new byte[4 * RingBytes], [RingBytes / 2, RingBytes, RingBytes]);
        writer.WriteLong([1], new Payload(TestSegment.Join(segments)), default);
        Assert.InRange(writer.OverflowBytes, 3 * RingBytes, 4 * RingBytes);
        Assert.Equal([false, true, true, true], segments.Select(segment => segment.IsKept)); // the first is in the ring
        writer.Detach();
        Assert.DoesNotContain(segments, segment => segment.IsKept);
    }

    [Fact]
    public void A_message_that_uses_little_of_its_memory_is_copied()
    {
        using PrivateRing memory = new(RingBytes);
        ByteRingWriter writer = new(memory.View);
        TestSegment[] segments = TestSegment.Cut(new byte[2 * RingBytes], [], wasteFactor: 100);
        writer.WriteLong([1], new Payload(TestSegment.Join(segments)), default);
        Assert.NotEqual(0, writer.OverflowBytes);
        Assert.DoesNotContain(segments, segment => segment.IsKept);
    }

    private static void Pass(ByteRingWriter writer, ByteRingReader reader, PieceAssembler pieces, List<byte> got)
    {
        writer.DrainOverflow();
        writer.Publish();
        while (reader.TryRead(out ReadOnlySpan<byte> record, out RecordKind kind) == RingRead.Record)
        {
            Assert.True(pieces.TryAdd(record));
            if (kind == RecordKind.Last)
            {
                got.AddRange(pieces.Bytes);
                pieces.Clear();
            }
        }

        reader.Release();
    }
}
