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
}
