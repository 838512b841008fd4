using System.Net.Sockets;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>A worker process: the handshake, then the rings, or the socket when there are none.</summary>
internal static class ProcessWorker
{
    /// <summary>The shortest answer to a handshake, <c>[1, 0, [{}]]</c>; the rest of a longer one is read by its length.</summary>
    private const int MinAnswerBytes = 5;

    private const int MaxAnswerBytes = 256;

    /// <summary>The descriptors with a granted pipe: segment, worker's bell, node's bell.</summary>
    private const int GrantDescriptors = 3;

    /// <summary>Serves until the end.</summary>
    /// <exception cref="SocketException">The node is not there.</exception>
    /// <exception cref="IOException">The system refused a resource that a worker needs.</exception>
    public static WorkerExit Run(AppHost app, string uuid, string endpoint, bool askForPipe)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(endpoint));
        using BeginPage? page = OpenPage();
        MemorySink handshake = new(128);
        MessageWriter.WriteHandshake(handshake, uuid, new WorkerOffer(Pipe: askForPipe, Flow: true, Begin: page is not null));
        socket.Send(handshake.Written);
        int descriptor = (int)socket.Handle;
        int[] descriptors = new int[DescriptorPassing.MaxDescriptors];
        switch (ReceiveAnswer(descriptor, descriptors, out WorkerOffer granted))
        {
            case GrantDescriptors:
                return RunOnRings(app, descriptor, descriptors, granted.Flow);
            case < 0:
                return WorkerExit.Abandoned;
        }

        socket.Blocking = false;
        SocketWorker worker = new(descriptor, app, granted.Flow, granted.Begin ? page : null) { HeartbeatMs = HeartbeatMs() };
        StackReport.Jobs = worker.Describe;
        return worker.Run();
    }

    /// <summary>The usual period, unless the node asks for a shorter one.</summary>
    private static int HeartbeatMs()
    {
        bool isTold = int.TryParse(EnvironmentNames.Get(EnvironmentNames.HeartbeatMs), out int told) && told > 0;
        return isTold ? Math.Min(told, EngineSettings.UsualHeartbeatMs) : EngineSettings.UsualHeartbeatMs;
    }

    /// <summary>The page that the node gave this process; null when it gave none. Children of this process do not see it.</summary>
    private static BeginPage? OpenPage()
    {
        string? name = EnvironmentNames.Get(EnvironmentNames.BeginPage);
        Environment.SetEnvironmentVariable(EnvironmentNames.BeginPage, null);
        if (!int.TryParse(name, out int descriptor) || descriptor < 0)
        {
            return null;
        }

        try
        {
            return BeginPage.Open(descriptor);
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException)
        {
            return null;
        }
    }

    private static WorkerExit RunOnRings(AppHost app, int socket, int[] descriptors, bool hasFlow)
    {
        try
        {
            using Segment segment = Segment.Open(descriptors[0]);
            using EventDescriptor ownBell = new(descriptors[1]);
            using EventDescriptor nodeBell = new(descriptors[2]);
            segment.CloseDescriptor();
            RingWorker worker = new(app, segment, ownBell, nodeBell, hasFlow, socket) { HeartbeatMs = HeartbeatMs() };
            StackReport.Jobs = worker.Describe;
            return worker.Run();
        }
        catch (InvalidDataException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return WorkerExit.Fault;
        }
    }

    /// <summary>
    /// Takes the answer and no bytes after it: without a pipe the next message may follow right away. Returns the number of descriptors
    /// that came with it, or -1 when the node has gone.
    /// </summary>
    private static int ReceiveAnswer(int socket, int[] descriptors, out WorkerOffer granted)
    {
        granted = default;
        Span<byte> answer = stackalloc byte[MaxAnswerBytes];
        int length = 0, passed = 0;
        int wanted = MinAnswerBytes;
        while (true)
        {
            int count = DescriptorPassing.Receive(socket, answer.Slice(length, wanted), descriptors.AsSpan(passed), out int came);
            if (count <= 0)
            {
                return -1;
            }

            length += count;
            passed += came;
            wanted = Math.Max(1, MinAnswerBytes - length);
            if (length >= MinAnswerBytes)
            {
                switch (MessageDecoder.Decode(answer[..length], ProtocolLimits.Default, out MessageLayout layout))
                {
                    case DecodeStatus.Ok:
                        ReadOnlySpan<byte> map = answer.Slice(layout.ArgumentsOffset, layout.ArgumentsLength)[1..];
                        granted = WorkerOffer.Read(map) ?? default;
                        return passed;
                    case DecodeStatus.NeedMore when length < MaxAnswerBytes:
                        break;
                    default:
                        Console.Error.WriteLine("the node's answer to the handshake is no message");
                        return -1;
                }
            }
        }
    }
}
