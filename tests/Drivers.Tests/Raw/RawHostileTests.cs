using System.Buffers;
using System.Net.Sockets;
using Cocaine.Fast.Drivers.Raw;
using Cocaine.Fast.Node.Apps;
using Xunit.Abstractions;

namespace Cocaine.Fast.Drivers.Tests.Raw;

/// <summary>What peers of a raw-server may send: anything.</summary>
public class RawHostileTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("line")]
    [InlineData("length32")]
    [InlineData("stream")]
    [InlineData("none")]
    public async Task Noise_and_sudden_ends_leave_the_node_serving_and_no_job_behind(string framing)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), out int given) ? given : Environment.TickCount;
        output.WriteLine($"COCAINE_FUZZ_SEED={seed}");
        Random random = new(seed);
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", framing, keys: ("max-frame", 300L)));
        for (int i = 0; i < 600; i++)
        {
            using RawPeer peer = RawPeer.Connect(app);
            try
            {
                for (int parts = random.Next(1, 5); parts > 0; parts--)
                {
                    peer.Send(Noise(random));
                    if (random.Next(4) == 0)
                    {
                        peer.Socket.ReceiveTimeout = 1;
                        _ = peer.Socket.Receive(new byte[random.Next(1, 100)]);
                    }
                }

                if (random.Next(3) == 0)
                {
                    peer.EndWriting();
                }

                if (random.Next(3) == 0)
                {
                    peer.Reset();
                }
            }
            catch (SocketException)
            {
                continue; // closed at the first bad byte, or nothing came: both are right
            }
        }

        await app.UntilInfoShowsAsync("\"connections\":0,");
        await app.UntilInfoShowsAsync("\"queued\":0,\"running\":0");
        Assert.True(app.Engine.Counters.Holds(0, 0));
        using RawPeer good = RawPeer.Connect(app);
        good.Send(framing == "length32" ? [0, 0, 0, 4, .. "fine"u8] : "fine\n"u8);
        good.EndWriting();
        Assert.EndsWith("fine", System.Text.Encoding.UTF8.GetString(good.ReadToEnd()).TrimEnd('\n'));
    }

    [Fact]
    public void Frames_are_the_same_however_their_bytes_are_cut()
    {
        Random random = new(7);
        foreach (Framing framing in (Framing[])[Framing.Line, Framing.Length32])
        {
            for (int round = 0; round < 2000; round++)
            {
                byte[] bytes = [.. Enumerable.Range(0, random.Next(1, 8)).SelectMany(_ => Noise(random))];
                Assert.Equal(FramesOf(framing, bytes, [bytes.Length]), FramesOf(framing, bytes, Cuts(random, bytes.Length)));
            }
        }
    }

    private static int[] Cuts(Random random, int length) =>
        [.. Enumerable.Range(0, random.Next(1, 10)).Select(_ => random.Next(length)).Append(length).Order()];

    /// <summary>The frames found when the bytes come in parts, each part a segment of its own.</summary>
    private static List<string> FramesOf(Framing framing, byte[] bytes, int[] cuts)
    {
        FrameReader reader = new(framing, 50);
        List<string> found = [];
        long taken = 0;
        foreach (int cut in cuts)
        {
            while (true)
            {
                ReadOnlySequence<byte> rest = Segments(bytes, cuts, cut).Slice(taken);
                FrameLook look = reader.Next(in rest, out ReadOnlySequence<byte> frame, out long size);
                if (look == FrameLook.TooLong)
                {
                    found.Add("too long");
                    return found;
                }

                if (look == FrameLook.More)
                {
                    break;
                }

                taken += size;
                found.Add(Convert.ToHexString(frame.ToArray()));
            }
        }

        return found;
    }

    private static ReadOnlySequence<byte> Segments(byte[] bytes, int[] cuts, int end)
    {
        Segment? first = null;
        Segment? last = null;
        int from = 0;
        foreach (int cut in cuts.TakeWhile(cut => cut <= end))
        {
            last = new Segment(bytes.AsMemory(from, cut - from), last);
            first ??= last;
            from = cut;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 40)];
        random.NextBytes(bytes);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = random.Next(4) switch { 0 => 0, 1 => (byte)'\n', 2 => (byte)random.Next(20), _ => bytes[i] };
        }

        return bytes;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is not null)
            {
                before.Next = this;
                RunningIndex = before.RunningIndex + before.Memory.Length;
            }
        }
    }
}
