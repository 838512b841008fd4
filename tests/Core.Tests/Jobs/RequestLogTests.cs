using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Tests.Rings;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Jobs;

/// <summary>A kept request has its chunks as they came, copied or in received memory, and leaves no memory in use.</summary>
public sealed class RequestLogTests
{
    [Fact]
    public void Any_mix_of_chunks_comes_back_as_it_was_as_often_as_wanted() =>
        Gen.Select(Gen.Int[0, 20_000], Gen.Int[1, 9000].Array[0, 4], Gen.Int[0, 2]).Array[0, 40].Sample(chunks =>
        {
            RequestLog log = new(new BlockPool());
            log.SetHeaders([0x91, 7]);
            List<TestSegment> received = [];
            List<byte[]> expected = [];
            foreach ((int size, int[] cuts, int what) in chunks)
            {
                byte[] data = new byte[size];
                Array.Fill(data, (byte)expected.Count);
                TestSegment[] segments = what == 0 ? [] : TestSegment.Cut(data, cuts, wasteFactor: what == 1 ? 1 : 50);
                received.AddRange(segments);
                log.Add(what == 0 ? new Payload(data) : new Payload(TestSegment.Join(segments)));
                expected.Add(data);
            }

            for (int run = 0; run < 2; run++)
            {
                List<byte[]> got = [];
                foreach (Payload chunk in log)
                {
                    got.Add(chunk.ToArray());
                }

                Assert.Equal(expected, got);
            }

            Assert.Equal([0x91, 7], log.Headers.ToArray());
            Assert.InRange(log.SizeBytes, 2 + expected.Sum(data => data.Length), 2 + expected.Sum(data => data.Length + 4));
            bool keepsAny = chunks.Any(chunk => chunk is { Item1: >= 4096, Item3: 1 });
            Assert.Equal(keepsAny, received.Exists(segment => segment.IsKept));
            log.Clear();
            Assert.DoesNotContain(received, segment => segment.IsKept);
            Assert.Equal(0, log.SizeBytes);
        }, iter: 500);

    /// <summary>Chunks that are dropped from the front while others come: no memory stays in use, and the block does not grow for ever.</summary>
    [Fact]
    public void Chunks_leave_at_the_front_while_others_come() =>
        Gen.Select(Gen.Int[0, 20_000], Gen.Int[1, 9000].Array[0, 4], Gen.Int[0, 2], Gen.Int[0, 3]).Array[0, 120].Sample(chunks =>
        {
            RequestLog log = new(new BlockPool());
            Queue<(byte[] Data, TestSegment[] Segments)> expected = [];
            foreach ((int size, int[] cuts, int what, int drops) in chunks)
            {
                byte[] data = new byte[size];
                Array.Fill(data, (byte)size);
                TestSegment[] segments = what == 0 ? [] : TestSegment.Cut(data, cuts, wasteFactor: what == 1 ? 1 : 50);
                log.Add(what == 0 ? new Payload(data) : new Payload(TestSegment.Join(segments)));
                expected.Enqueue((data, segments));
                for (int i = 0; i < drops && expected.TryDequeue(out (byte[] Data, TestSegment[] Segments) first); i++)
                {
                    Assert.True(log.TryPeek(out Payload chunk));
                    Assert.Equal(first.Data, chunk.ToArray());
                    log.DropFirst();
                    Assert.DoesNotContain(first.Segments, segment => segment.IsKept);
                }

                Assert.Equal(expected.Count > 0, log.TryPeek(out _));
                Assert.InRange(log.SizeBytes, expected.Sum(one => one.Data.Length), expected.Sum(one => one.Data.Length + 4));
            }

            List<byte[]> got = [];
            foreach (Payload chunk in log)
            {
                got.Add(chunk.ToArray());
            }

            Assert.Equal(expected.Select(one => one.Data), got);
            log.Clear();
            Assert.DoesNotContain(expected, one => Array.Exists(one.Segments, segment => segment.IsKept));
            Assert.Equal(0, log.SizeBytes);
        }, iter: 1000);

    [Fact]
    public void A_log_that_is_never_empty_takes_no_more_room_than_what_is_in_it()
    {
        BlockPool blocks = new();
        RequestLog log = new(blocks);
        log.Add(new Payload(new byte[1000]));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100_000; i++)
        {
            log.Add(new Payload(new byte[] { 1 }.AsSpan()[..0]));
            log.DropFirst();
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000 * 40);
        Assert.Equal(4, log.SizeBytes);
    }
}
