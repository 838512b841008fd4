using System.Diagnostics;
using System.Net.Sockets;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>
/// Public frameworks send the parts of a request in writes of their own, and some leave Nagle's algorithm on: each write then waits for the
/// acknowledgement of the one before, which a kernel puts off for 40 ms unless it is asked not to.
/// </summary>
public class SmallWritesTests
{
    private const int KernelDelayMs = 40;

    [Theory]
    [InlineData(false)] // in whole messages
    [InlineData(true)]  // and a message in two parts
    public async Task A_client_that_sends_its_request_in_parts_does_not_wait_for_a_delayed_acknowledgement(bool cut)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        client.Socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, false);
        List<double> times = [];
        for (ulong channel = 1; channel <= 60; channel++) // a new connection is acknowledged at once for its first packets
        {
            long start = Stopwatch.GetTimestamp();
            foreach (byte[] part in Parts(channel, cut))
            {
                await client.SendAsync(part);
            }

            Assert.Equal("payload", (await client.ReadToEndOfAsync(channel))[0].Text);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Assert.InRange(times.TakeLast(30).Order().ElementAt(15), 0, KernelDelayMs / 2);
    }

    private static List<byte[]> Parts(ulong channel, bool cut)
    {
        List<byte[]> parts = [];
        foreach (Action<MessageSink> write in (Action<MessageSink>[])
        [
            sink => MessageWriter.WriteEnqueue(sink, channel, "echo"u8, default, bin: false),
            sink => MessageWriter.WriteChunk(sink, channel, new Payload("payload"u8), bin: false),
            sink => MessageWriter.WriteClose(sink, channel),
        ])
        {
            MemorySink sink = new();
            write(sink);
            byte[] bytes = sink.Written.ToArray();
            parts.AddRange(cut ? [bytes[..3], bytes[3..]] : [bytes]);
        }

        return parts;
    }
}
