using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Counts every byte that the whole process allocates while requests over ZeroMQ are answered: node, slave and client.</summary>
[Collection(nameof(Alone))]
public sealed class ZeroMqAllocationTests(ITestOutputHelper output)
{
    private const int Requests = 100_000, InFlight = 32, NoiseBytes = 64 << 10;

    [Theory]
    [InlineData("zeromq-server")]
    [InlineData("server+lsd")]
    public async Task A_hundred_thousand_requests_allocate_nothing(string driver)
    {
        const string Uuid = "0123456789abcdef0123456789abcdef0123", Body = "sixty-four bytes of text, or some fewer";
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread) with
        {
            Tasks = [new TaskManifest { Name = "echo", DriverType = driver, Endpoints = ["tcp://127.0.0.1:0"] }],
        });
        bool isLsd = driver == "server+lsd";
        string envelope = $$"""{"uuid":"{{Uuid}}"}""", end = $$"""{"uuid":"{{Uuid}}","completed":true}""";
        byte[] request = Message(isLsd ? ["", envelope, Body] : ["", Body]);
        byte[] answer = isLsd ? [.. Message("", envelope, Body), .. Message("", end)] : request;
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000, NoDelay = true };
        socket.Connect(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        socket.Send(Handshake());
        Take(socket, new byte[64 + 2 + "\u0005READY\u000bSocket-Type....ROUTER".Length]);
        Run(socket, request, answer); // warm
        (long bytes, string types) = await AllocationCount.LeastAsync(NoiseBytes, () =>
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Run(socket, request, answer);
            return Task.FromResult(GC.GetTotalAllocatedBytes(precise: true) - before);
        });
        output.WriteLine($"{driver}: {bytes} bytes in {Requests} requests");
        Assert.True(bytes <= NoiseBytes, types);
    }

    private static void Run(Socket socket, byte[] request, byte[] answer)
    {
        byte[] heard = new byte[answer.Length];
        for (int sent = 0, done = 0; done < Requests;)
        {
            for (; sent < Requests && sent - done < InFlight; sent++)
            {
                socket.Send(request);
            }

            Take(socket, heard);
            Assert.True(heard.AsSpan().SequenceEqual(answer));
            done++;
        }
    }

    private static void Take(Socket socket, byte[] into)
    {
        for (int at = 0; at < into.Length;)
        {
            int count = socket.Receive(into.AsSpan(at));
            Assert.True(count > 0, "the connection ended");
            at += count;
        }
    }

    /// <summary>A DEALER of ZMTP 3.0.</summary>
    private static byte[] Handshake()
    {
        byte[] ready = [.. "\u0005READY\u000bSocket-Type\0\0\0\u0006DEALER"u8];
        return [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, .. "NULL"u8, .. new byte[48], 4, (byte)ready.Length, .. ready];
    }

    private static byte[] Message(params string[] frames) =>
        [.. frames.SelectMany((frame, index) => (byte[])[index < frames.Length - 1 ? (byte)1 : (byte)0, (byte)frame.Length, .. Encoding.ASCII.GetBytes(frame)])];
}
