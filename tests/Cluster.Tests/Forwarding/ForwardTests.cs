using Cocaine.Fast.Cluster.Forwarding;
using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Cluster.Tests.Forwarding;

/// <summary>Whether a job goes to another node.</summary>
public class ForwardTests
{
    private const long Ms = 1_000_000;

    private static PeerLoad Peer(int running, int queued = 0, long atNs = 0)
    {
        PeerLoad peer = new();
        peer.OnReport(new LoadReport(4, running, queued, 20 * Ms), atNs);
        return peer;
    }

    private static int Choose(PeerLoad[] peers, long ownWaitNs, long nowNs = 0) =>
        ForwardRule.Choose(peers, ownWaitNs, 20 * Ms, 1 * Ms, nowNs, new Random(1), out _);

    [Fact]
    public void A_job_goes_to_the_better_of_two_peers()
    {
        PeerLoad[] peers = [Peer(4, 8), Peer(2), Peer(4, 8)];
        int[] chosen = new int[3];
        Random random = new(1);
        for (int i = 0; i < 3000; i++)
        {
            int peer = ForwardRule.Choose(peers, long.MaxValue, 20 * Ms, Ms, 0, random, out long wait);
            Assert.Equal(peers[peer].WaitNs, wait);
            chosen[peer]++;
        }

        Assert.InRange(chosen[1], 1900, 2100); // of three pairs of peers it is in two, and the better one in both
    }

    /// <summary>The way there and back counts twice, and a quarter of the mean is the margin: 2 + 5 ms here.</summary>
    [Theory]
    [InlineData(7 * Ms, -1)]
    [InlineData(7 * Ms + 1, 0)]
    public void A_peer_must_be_better_by_the_way_and_a_margin(long ownWaitNs, int expected) => Assert.Equal(expected, Choose([Peer(0)], ownWaitNs));

    [Fact]
    public void Peers_that_are_closed_full_or_silent_get_nothing()
    {
        PeerLoad closed = Peer(0), full = Peer(0), hostile = new();
        closed.IsOpen = false;
        full.OnRefused();
        hostile.OnReport(new LoadReport(int.MaxValue, 0, 0, long.MaxValue), 0);
        Assert.Equal(-1, Choose([closed, full, hostile, new PeerLoad()], long.MaxValue));
        Assert.Equal(0, Choose([Peer(0)], long.MaxValue, nowNs: 300 * Ms));
        Assert.Equal(-1, Choose([Peer(0)], long.MaxValue, nowNs: (300 * Ms) + 1));
        full.OnReport(new LoadReport(4, 0, 0, 20 * Ms), 1);
        Assert.Equal(1, Choose([closed, full], long.MaxValue));
        Assert.Equal(-1, Choose([], long.MaxValue));
    }

    [Fact]
    public void Jobs_that_were_sent_since_the_report_count()
    {
        PeerLoad peer = Peer(3);
        Assert.Equal(0, peer.WaitNs);
        peer.OnSent();
        Assert.Equal(5 * Ms, peer.WaitNs);
        peer.OnReport(new LoadReport(4, 3, 0, 20 * Ms), 1);
        Assert.Equal(0, peer.WaitNs);
    }

    [Fact]
    public void The_own_wait_counts_those_ahead_and_a_full_queue_is_endless()
    {
        Assert.Equal(5 * Ms, ForwardRule.OwnWaitNs(0, 4, 20 * Ms, isFull: false));
        Assert.Equal(20 * Ms, ForwardRule.OwnWaitNs(3, 4, 20 * Ms, isFull: false));
        Assert.Equal(long.MaxValue, ForwardRule.OwnWaitNs(3, 4, 20 * Ms, isFull: true));
    }

    [Fact]
    public void Peers_become_more_while_their_choice_is_poor()
    {
        PeerCount count = new();
        Assert.Equal([0, 2, 16, 16], [count.Of(1), count.Of(3), count.Of(17), count.Of(1000)]);
        for (int i = 0; i < 10; i++)
        {
            count.OnDecision(20 * Ms, 9 * Ms, 0);
        }

        Assert.Equal(16, count.Of(1000)); // the choice was good
        for (int time = 1; time <= 40; time++)
        {
            for (int i = 0; i < 10; i++)
            {
                count.OnDecision(20 * Ms, 10 * Ms, time * 100 * Ms);
            }

            Assert.Equal(Math.Min(16 + (8 * time), 128), count.Of(1000));
        }

        Assert.Equal(16, count.Of(17));
        Assert.Equal(99, count.Of(100));
    }
}
