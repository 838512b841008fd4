using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>Sends of one call. Where the kernel has no io_uring there is nothing to test.</summary>
public sealed unsafe class SubmissionRingTests
{
    private const int BadDescriptor = 9, NoSignal = 0x4000, DontWait = 0x40; // EBADF

    [Fact]
    public void Each_send_has_its_own_result_also_one_that_fails_between_others()
    {
        using SubmissionRing? ring = SubmissionRing.TryCreate();
        using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using Socket sender = Connected(receiver);
        byte* bytes = stackalloc byte[3] { 1, 2, 3 };
        for (int round = 0; ring is not null && round < 3; round++)
        {
            Assert.Equal(0, ring.Add((int)sender.Handle, bytes, 1, NoSignal | DontWait));
            Assert.Equal(1, ring.Add(-1, bytes, 3, NoSignal | DontWait));
            Assert.Equal(2, ring.Add((int)sender.Handle, bytes, 2, NoSignal | DontWait));
            Assert.Equal(3, ring.Count);
            int[] results = new int[SubmissionRing.Capacity];
            Assert.True(ring.Submit(results));
            Assert.Equal([1, -BadDescriptor, 2], results[..3]);
            Assert.Equal(0, ring.Count);
            Assert.Equal([1, 2], new[] { receiver.Receive(new byte[8]), receiver.Receive(new byte[8]) });
        }
    }

    [Fact]
    public void A_full_ring_sends_all_of_its_own_in_order()
    {
        using SubmissionRing? ring = SubmissionRing.TryCreate();
        using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        using Socket sender = Connected(receiver);
        if (ring is null)
        {
            return;
        }

        byte* bytes = stackalloc byte[SubmissionRing.Capacity];
        for (int i = 0; !ring.IsFull; i++)
        {
            bytes[i] = (byte)i;
            ring.Add((int)sender.Handle, bytes + i, 1, NoSignal | DontWait);
        }

        Assert.Equal(SubmissionRing.Capacity, ring.Count);
        int[] results = new int[SubmissionRing.Capacity];
        Assert.True(ring.Submit(results));
        Assert.All(results, result => Assert.Equal(1, result));
        byte[] one = new byte[8];
        for (int i = 0; i < SubmissionRing.Capacity; i++)
        {
            Assert.Equal(1, receiver.Receive(one));
            Assert.Equal((byte)i, one[0]);
        }
    }

    private static Socket Connected(Socket receiver)
    {
        receiver.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        receiver.ReceiveTimeout = 30_000;
        Socket sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sender.Connect(receiver.LocalEndPoint!);
        return sender;
    }
}
