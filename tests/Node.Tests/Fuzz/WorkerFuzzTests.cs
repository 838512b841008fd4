using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests.Fuzz;

/// <summary>Workers that say anything, on their socket and in the shared memory: they cost their own jobs, and nothing else.</summary>
[Collection(nameof(Alone))]
public sealed class WorkerFuzzTests(ITestOutputHelper output)
{
    /// <summary>Jobs of one app: few workers for each, so that the node makes and ends many apps, too.</summary>
    private const int Jobs = 40;

    private readonly OddMessages _odd = new(new Random(FuzzedNode.Seed));

    [Fact]
    public Task The_socket_of_a_worker() => RunAsync(10_000, OnSocket);

    [Fact]
    public Task The_rings_of_a_worker() => RunAsync(60_000, OnRings);

    private async Task RunAsync(int inputs, Func<Socket, string, int> session)
    {
        output.WriteLine($"COCAINE_FUZZ_SEED={FuzzedNode.Seed}");
        long started = Environment.TickCount64;
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        using HostileWorkers workers = new(node.Node, node.Folder);
        await node.RunAsync(inputs, () => workers.RunAppAsync(Jobs, session).GetAwaiter().GetResult());
        output.WriteLine($"{inputs} inputs in {Environment.TickCount64 - started} ms");
    }

    private int OnSocket(Socket socket, string uuid)
    {
        MemorySink sink = new();
        MessageWriter.WriteHandshake(sink, uuid, new WorkerOffer(Pipe: false, Flow: true, Begin: _odd.Random.Next(2) == 0));
        if (_odd.Random.Next(16) == 0)
        {
            socket.Send(_odd.Broken(sink.Written));
            return 1;
        }

        socket.Send(sink.Written);
        socket.Receive(new byte[4096]); // the answer, and perhaps a call
        int messages = 1;
        for (int rounds = _odd.Random.Next(1, 20); rounds > 0; rounds--)
        {
            sink.Clear();
            for (int answers = _odd.Random.Next(1, 8); answers > 0; answers--)
            {
                Answer(sink);
            }

            byte[] sent = _odd.Random.Next(30) == 0 ? _odd.Broken(sink.Written) : sink.Written.ToArray();
            messages += OddMessages.Count(sent);
            socket.Send(sent);
        }

        socket.Send([0xc1]); // ends the worker at once, which a closed socket alone does after a moment
        return messages;
    }

    private int OnRings(Socket socket, string uuid)
    {
        MemorySink sink = new();
        MessageWriter.WriteHandshake(sink, uuid, new WorkerOffer(Pipe: true, Flow: true));
        socket.Send(sink.Written);
        int[] descriptors = new int[DescriptorPassing.MaxDescriptors];
        if (DescriptorPassing.Receive((int)socket.Handle, new byte[4096], descriptors, out int count) <= 0 || count != 3)
        {
            return 1;
        }

        using Segment segment = Segment.Open(descriptors[0]);
        using EventDescriptor own = new(descriptors[1]), node = new(descriptors[2]);
        return WriteInto(segment, node);
    }

    private int WriteInto(Segment segment, EventDescriptor bell)
    {
        ByteRingWriter writer = new(segment.Responses);
        ByteRingReader reader = new(segment.Requests);
        int inputs = 0;
        for (int rounds = _odd.Random.Next(1, 40); rounds > 0; rounds--)
        {
            for (int records = _odd.Random.Next(1, 30); records > 0 && writer.OverflowBytes == 0; records--)
            {
                Answer(writer);
                inputs++;
            }

            writer.Publish();
            while (reader.TryRead(out _, out _) == RingRead.Record)
            {
            }

            reader.Release();
            if (_odd.Random.Next(8) == 0)
            {
                inputs += Scribble(segment);
            }

            bell.Ring();
        }

        segment.Responses.Tail = -1; // ends the worker at once, which a closed socket alone does after a moment
        bell.Ring();
        return inputs;
    }

    /// <summary>Writes over a word that the node reads, over a record's head, or over anything.</summary>
    private int Scribble(Segment segment)
    {
        int responses = (int)(segment.SizeBytes - segment.Responses.CapacityBytes);
        (int from, int bytes) = _odd.Random.Next(6) switch
        {
            0 => (RingDescriptor.ResponseControlOffset + RingDescriptor.TailOffset, 8),
            1 => (RingDescriptor.RequestControlOffset + RingDescriptor.HeadOffset, 8),
            2 => (RingDescriptor.BegunOffset, 16),
            3 => (responses + (int)(segment.Responses.Head & (segment.Responses.CapacityBytes - 1)), 8),
            4 => (0, RingDescriptor.HeaderSizeBytes),
            _ => (responses, segment.Responses.CapacityBytes),
        };
        for (int times = _odd.Random.Next(1, 30); times > 0; times--)
        {
            int at = from + (_odd.Random.Next(Math.Max(1, bytes - 7)) & ~7);
            long step = _odd.Any((long[])[-8, 8, 1, 1 << 16, 1L << 32, 1L << 62, -1L << 40]);
            long value = _odd.Random.Next(3) == 0 ? _odd.Random.NextInt64() : Marshal.ReadInt64(segment.Start, at) + step;
            Marshal.WriteInt64(segment.Start, at, value);
        }

        return 1;
    }

    /// <summary>Some of what a worker says, right or odd, about the channels of its first jobs and others.</summary>
    private void Answer(MessageSink to)
    {
        ulong channel = (ulong)_odd.Random.Next(1, 6);
        switch (_odd.Random.Next(12))
        {
            case < 3:
                MessageWriter.WriteChunk(to, channel, new Payload(_odd.Bytes(_odd.Random.Next(300))), bin: true);
                break;
            case < 5:
                MessageWriter.WriteHeartbeat(to);
                break;
            case 5:
                MessageWriter.WriteClose(to, channel);
                break;
            case 6:
                MessageWriter.WriteError(to, channel, 42, _odd.Random.Next(), "odd");
                break;
            case 7:
                MessageWriter.WriteFlow(to, 1, channel, hold: _odd.Random.Next(2) == 0);
                break;
            case 8:
                Write(to, _odd.Message(1, types: 12)); // the control channel
                break;
            case 9 when _odd.Random.Next(10) == 0:
                MemorySink good = new();
                MessageWriter.WriteChunk(good, channel, new Payload(_odd.Bytes(_odd.Random.Next(300))), bin: true);
                Write(to, _odd.Broken(good.Written));
                break;
            case 10 when _odd.Random.Next(20) == 0:
                MessageWriter.WriteTerminate(to, _odd.Random.Next(), "enough");
                break;
            default:
                Write(to, _odd.Message(channel, types: 4));
                break;
        }
    }

    private static void Write(MessageSink to, byte[] bytes)
    {
        bytes.CopyTo(to.BeginMessage(Math.Max(1, bytes.Length)));
        to.EndMessage(bytes.Length);
    }
}
