using System.Globalization;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Tests.Vectors;
using Xunit.Abstractions;

namespace Cocaine.Fast.Core.Tests.Protocol;

public class DecoderFuzzTests(ITestOutputHelper output)
{
    private const int Frames = 1_000_000;

    [Fact]
    public void A_million_random_and_mutated_frames_never_lead_it_out_of_bounds()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given : Environment.TickCount;
        output.WriteLine($"COCAINE_FUZZ_SEED={seed}");
        Random random = new(seed);
        byte[][] good = [.. VectorFile.Read("frames.json").EnumerateArray().Select(frame =>
            VectorFile.Hex(frame.GetProperty("hex").GetString()!))];
        HeaderTable table = new();
        HeaderSet set = new();
        int accepted = 0;
        for (int i = 0; i < Frames; i++)
        {
            byte[] frame = i % 4 == 0 ? Noise(random) : Mutate(random, good[random.Next(good.Length)]);
            DecodeStatus status = MessageDecoder.Decode(frame, ProtocolLimits.Default, out MessageLayout layout);
            if (status == DecodeStatus.Ok)
            {
                accepted++;
                Assert.InRange(layout.TotalBytes, 1, frame.Length);
                AssertInside(layout.DataOffset, layout.DataLength, layout.TotalBytes);
                AssertInside(layout.TextOffset, layout.TextLength, layout.TotalBytes);
                AssertInside(layout.ArgumentsOffset, layout.ArgumentsLength, layout.TotalBytes);
                AssertInside(layout.HeadersOffset, layout.HeadersLength, layout.TotalBytes);
                if (layout.HeadersLength > 0)
                {
                    set.Clear();
                    ReadOnlySpan<byte> headers = frame.AsSpan(layout.HeadersOffset, layout.HeadersLength);
                    if (HeaderReader.Decode(headers, table, set, ProtocolLimits.Default) == HeaderStatus.Untrusted)
                    {
                        table = new HeaderTable();
                    }

                    Assert.InRange(table.SizeBytes, 0, 4096);
                    _ = set.ForWorker(withSecrets: true);
                }
            }
            else
            {
                Assert.Equal(status is DecodeStatus.Malformed or DecodeStatus.TooLarge, layout.Problem is not null);
            }
        }

        output.WriteLine($"{accepted} of {Frames} were messages");
        Assert.InRange(accepted, Frames / 100, Frames);
    }

    private static void AssertInside(int offset, int length, int total)
    {
        if (length < 0 || offset < 0 || offset + (long)length > total)
        {
            Assert.Fail($"{offset}+{length} is outside of {total}");
        }
    }

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 64)];
        random.NextBytes(bytes);
        if (random.Next(2) == 0)
        {
            bytes[0] = (byte)(0x90 | random.Next(16)); // or most would end at the first byte
        }

        return bytes;
    }

    private static byte[] Mutate(Random random, byte[] frame)
    {
        byte[] bytes = [.. frame];
        for (int changes = random.Next(4); changes > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return random.Next(8) == 0 ? bytes[..random.Next(1, bytes.Length + 1)] : bytes;
    }
}
