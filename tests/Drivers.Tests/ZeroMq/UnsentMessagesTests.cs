using Cocaine.Fast.Drivers.ZeroMq.Sockets;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>The bounds of messages that wait for peers that do not read.</summary>
public class UnsentMessagesTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void So_many_messages_wait_and_sent_ones_make_room()
    {
        UnsentMessages unsent = new(new UnsentBytes(), highWaterMark: 3);
        long written = 0;
        for (int i = 0; i < 3; i++)
        {
            Assert.True(unsent.HasRoom(written, sent: 0));
            unsent.Add(written += 10, sent: 0);
        }

        Assert.False(unsent.HasRoom(30, sent: 0));
        Assert.False(unsent.HasRoom(21, sent: 9)); // the first message has a byte to go
        Assert.True(unsent.HasRoom(20, sent: 10));
        unsent.OnSent(0, sent: 30);
        Assert.True(unsent.HasRoom(0, sent: 30));
    }

    [Fact]
    public void Bytes_of_one_peer_and_of_all_peers_are_bounded_and_readers_do_not_feel_it()
    {
        UnsentBytes all = new();
        UnsentMessages[] greedy = [.. Enumerable.Range(0, 5).Select(_ => new UnsentMessages(all, 1000))];
        Assert.True(greedy[0].HasRoom(64 * MiB, 0));
        Assert.False(greedy[0].HasRoom((64 * MiB) + 1, 0));
        for (int i = 0; i < 4; i++)
        {
            Assert.True(greedy[i].HasRoom(MiB, 0));
            greedy[i].Add(65 * MiB, 0);
        }

        Assert.False(greedy[4].HasRoom(MiB, 0));
        Assert.True(greedy[4].HasRoom(1000, 0)); // a peer that reads
        greedy[0].OnSent(0, 65 * MiB);           // also when its connection has ended
        Assert.True(greedy[4].HasRoom(MiB, 0));
    }
}
