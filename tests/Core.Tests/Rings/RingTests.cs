using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Rings;

public sealed unsafe class RingTests
{
    [Fact]
    public void Any_mix_of_writes_and_reads_gives_the_messages_back_in_order() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5000]).Array[1, 200].Sample(steps =>
        {
            using PrivateRing memory = new(4096);
            ByteRingWriter writer = new(memory.View);
            ByteRingReader reader = new(memory.View);
            PieceAssembler pieces = new(1 << 20);
            Queue<byte[]> expected = new();
            List<byte> got = [];
            byte fill = 0;
            foreach ((int what, int size) in steps)
            {
                if (what < 2)
                {
                    byte[] data = new byte[size + 1];
                    Array.Fill(data, ++fill);
                    expected.Enqueue(data);
                    Put(writer, data);
                }

                writer.DrainOverflow();
                writer.Publish();
                if (what > 0)
                {
                    Drain(reader, pieces, got);
                }
            }

            for (int i = 0; i < 1000 && (writer.OverflowBytes > 0 || reader.HasRecords); i++)
            {
                writer.DrainOverflow();
                writer.Publish();
                Drain(reader, pieces, got);
            }

            Assert.Null(writer.Fault);
            Assert.Null(reader.Fault);
            Assert.Equal(expected.SelectMany(data => data), got);
        }, iter: 300);

    [Fact]
    public void The_writer_knows_what_is_read_and_is_rung_for_the_rest()
    {
        using PrivateRing memory = new(4096);
        ByteRingWriter writer = new(memory.View);
        ByteRingReader reader = new(memory.View);
        Put(writer, new byte[100]);
        writer.Publish();
        Put(writer, new byte[100]);
        writer.Publish();
        long mark = writer.PublishedMark;
        Put(writer, new byte[100]);
        writer.Publish();
        for (int read = 1; read <= 3; read++)
        {
            bool mustRing = !writer.HasRead(mark) && writer.TryWaitForRoom();
            Assert.Equal(read <= 2, mustRing);
            Assert.Equal(RingRead.Record, reader.TryRead(out _, out _));
            Assert.Equal(mustRing, reader.Release());
            Assert.Equal(read > 2, writer.HasRead(mark)); // before it looks
            Assert.Equal(read <= 2, !writer.HasRead(mark) && !writer.TryWaitForRoom()); // the head has moved
            Assert.Equal(read >= 2, writer.HasRead(mark));
        }
    }

    [Fact]
    public void Two_threads_pass_ten_million_messages_parking_and_waking()
    {
        const int Count = 10_000_000;
        using PrivateRing memory = new(1 << 16);
        using TestBell toReader = new();
        using TestBell toWriter = new();
        Thread writing = new(() => WriteNumbers(memory.View, Count, toReader, toWriter));
        writing.Start();
        ByteRingReader reader = new(memory.View);
        long next = 0;
        while (next < Count)
        {
            switch (reader.TryRead(out ReadOnlySpan<byte> payload, out _))
            {
                case RingRead.Record:
                    foreach (long number in MemoryMarshal.Cast<byte, long>(payload))
                    {
                        if (number != next++)
                        {
                            Assert.Fail($"{number} came instead of {next - 1}");
                        }
                    }

                    break;
                case RingRead.Empty:
                    if (reader.Release())
                    {
                        toWriter.Ring();
                    }

                    if (reader.TryPark())
                    {
                        toReader.Wait();
                        reader.Unpark();
                    }

                    break;
                default:
                    Assert.Fail(reader.Fault);
                    break;
            }
        }

        Assert.True(writing.Join(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_hostile_writer_never_leads_the_reader_out_of_the_ring()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        int faults = 0;
        for (int round = 0; round < 200_000; round++)
        {
            using PrivateRing memory = new(4096);
            ByteRingReader reader = new(memory.View);
            ByteRingWriter writer = new(memory.View);
            for (int i = random.Next(20); i > 0; i--)
            {
                Put(writer, new byte[random.Next(1, 300)]);
            }

            writer.Publish();
            memory.Scribble(random);
            for (int reads = 0; reads < 2000; reads++)
            {
                RingRead read = reader.TryRead(out ReadOnlySpan<byte> payload, out _);
                if (read == RingRead.Record)
                {
                    fixed (byte* start = payload)
                    {
                        long offset = start - memory.View.Data;
                        Assert.True(payload.IsEmpty || (offset >= 0 && offset + payload.Length <= 4096), $"seed {seed}");
                    }

                    continue;
                }

                faults += read == RingRead.Fault ? 1 : 0;
                break;
            }

            reader.Release();
        }

        Assert.True(faults > 1000, $"only {faults} faults, seed {seed}");
    }

    [Fact]
    public void A_hostile_reader_is_a_fault_and_writes_nothing_outside()
    {
        using PrivateRing memory = new(4096);
        ByteRingWriter writer = new(memory.View);
        Put(writer, new byte[900]);
        writer.Publish();
        memory.View.Head = 1 << 20;
        for (int i = 0; i < 20; i++)
        {
            Put(writer, new byte[900]);
            writer.Publish();
        }

        Assert.NotNull(writer.Fault);
    }

    [Fact]
    public void The_descriptor_and_the_documented_diagram_agree()
    {
        string text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "worker-protocol.md"));
        ILookup<int, string> documented = Regex.Matches(text, @"^ +(\d+) +\d+  (.+)$", RegexOptions.Multiline)
            .Where(match => int.Parse(match.Groups[1].Value) >= 16).ToLookup(match => int.Parse(match.Groups[1].Value), match =>
                match.Groups[2].Value);
        (int Offset, string Says)[] ours =
        [
            (RingDescriptor.SegmentSizeOffset, "segment size"), (RingDescriptor.GenerationOffset, "generation"),
            (RingDescriptor.RequestCapacityOffset, "request ring capacity"),
                (RingDescriptor.ResponseCapacityOffset, "response ring capacity"),
            (RingDescriptor.RequestOffsetOffset, "request ring offset"), (RingDescriptor.ResponseOffsetOffset, "response ring offset"),
            (RingDescriptor.SpinMicrosecondsOffset, "spin"),
            (RingDescriptor.RequestControlOffset + RingDescriptor.TailOffset, "request ring: tail"),
            (RingDescriptor.RequestControlOffset + RingDescriptor.HeadOffset, "request ring: head"),
            (RingDescriptor.RequestControlOffset + RingDescriptor.ReaderParkedOffset, "request ring: reader parked"),
            (RingDescriptor.RequestControlOffset + RingDescriptor.WriterWaitsOffset, "request ring: writer waits"),
            (RingDescriptor.ResponseControlOffset + RingDescriptor.TailOffset, "response ring: tail"),
            (RingDescriptor.ResponseControlOffset + RingDescriptor.WriterWaitsOffset, "response ring: writer waits"),
        ];
        foreach ((int offset, string says) in ours)
        {
            Assert.StartsWith(says, documented[offset].First(), StringComparison.Ordinal);
        }

        (int Offset, string Says)[] ofBoth =
        [
            (RingDescriptor.MostBegunOffset, "most jobs"), (RingDescriptor.BegunOffset, "begun"), (RingDescriptor.RecallOffset, "recall"),
        ];
        foreach ((int offset, string says) in ofBoth)
        {
            Assert.Equal(2, documented[offset].Count(line => line.StartsWith(says, StringComparison.Ordinal))); // segment and page
        }

        Assert.StartsWith("begun once more", documented[RingDescriptor.BegunAgainOffset].Single(), StringComparison.Ordinal);
    }

    private static void WriteNumbers(RingView view, int count, TestBell toReader, TestBell toWriter)
    {
        ByteRingWriter writer = new(view);
        for (long i = 0; i < count; i++)
        {
            Span<byte> to = writer.BeginMessage(sizeof(long));
            MemoryMarshal.Write(to, in i);
            writer.EndMessage(sizeof(long));
            if (writer.UnpublishedBytes > 4096 || i % 1000 == 0 || i == count - 1)
            {
                Publish(writer, toReader);
                while (!writer.DrainOverflow())
                {
                    Publish(writer, toReader);
                    if (writer.TryWaitForRoom())
                    {
                        toWriter.Wait();
                    }
                }

                Publish(writer, toReader);
            }
        }
    }

    private static void Publish(ByteRingWriter writer, TestBell bell)
    {
        if (writer.Publish())
        {
            bell.Ring();
        }
    }

    private static void Put(ByteRingWriter writer, byte[] data)
    {
        if (data.Length > writer.MaxContiguousBytes)
        {
            writer.WriteLong(data, new Payload([]), default);
            return;
        }

        data.CopyTo(writer.BeginMessage(data.Length));
        writer.EndMessage(data.Length);
    }

    private static void Drain(ByteRingReader reader, PieceAssembler pieces, List<byte> got)
    {
        while (reader.TryRead(out ReadOnlySpan<byte> payload, out RecordKind kind) == RingRead.Record)
        {
            Assert.True(pieces.TryAdd(payload));
            if (kind == RecordKind.Last)
            {
                got.AddRange(pieces.Bytes);
                pieces.Clear();
            }
        }

        reader.Release();
    }

    private sealed class TestBell : IDisposable
    {
        private readonly SemaphoreSlim _signal = new(0);

        public void Ring() => _signal.Release();

        public void Wait() => Assert.True(_signal.Wait(TimeSpan.FromSeconds(30)), "a wake-up was lost");

        public void Dispose() => _signal.Dispose();
    }
}
