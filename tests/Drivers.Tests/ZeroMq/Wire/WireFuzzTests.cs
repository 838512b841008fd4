using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

/// <summary>A million streams that are nearly right, against the session itself.</summary>
[Collection(nameof(Alone))]
public class WireFuzzTests
{
    private const int Streams = 1_000_000, Seed = 20_260_729;
    private static readonly SocketKind[] Kinds = [SocketKind.Router, SocketKind.Pull, SocketKind.Pub, SocketKind.Sub];

    [Fact]
    public void A_million_mutated_streams_end_in_messages_or_in_a_reason()
    {
        long refused = 0, messages = 0, mostBytes = 0;
        StreamMutator mutator = new(Seed);
        for (int i = 0; i < Streams; i++)
        {
            byte[] stream = mutator.Next();
            RecordingHost host = new(Kinds[i % Kinds.Length], keepsText: false);
            int cut = mutator.Random.Next(stream.Length + 1), segment = mutator.Random.Next(4) == 0 ? mutator.Random.Next(1, 80) : int.MaxValue;
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                host.Feed(stream.AsSpan(0, cut), segment);
                host.Feed(stream.AsSpan(cut), segment);
            }
            catch (Exception fault)
            {
                Assert.Fail($"stream {i}, {Convert.ToHexString(stream)}, cut at {cut} in segments of {segment}: {fault}");
            }

            mostBytes = Math.Max(mostBytes, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(host.MessageBytes <= stream.Length, $"stream {i} has {stream.Length} bytes, and its messages {host.MessageBytes}");
            refused += host.Problem is null ? 0 : 1;
            messages += host.MessageBytes;
        }

        Assert.InRange(refused, Streams / 4, Streams - (Streams / 100)); // the streams are bad, and not all of them to the same place
        Assert.InRange(messages, Streams, long.MaxValue);
        Assert.InRange(mostBytes, 0, 128 << 10); // most of them by the host of this test, which copies in small pieces
    }
}
