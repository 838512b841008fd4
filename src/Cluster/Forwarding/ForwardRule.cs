using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Cluster.Forwarding;

/// <summary>
/// Decides whether a job that finds no free slave here goes to a peer: when the better one of two random peers is better than the wait
/// here, by the way there and back and a margin. The best of all peers would draw all nodes to one (a herd).
/// </summary>
internal static class ForwardRule
{
    /// <summary>The wait of a job here, ns; <see cref="long.MaxValue"/> when the queue is full.</summary>
    /// <param name="ahead">The jobs that wait before it.</param>
    /// <param name="slots">How many jobs may run at once here.</param>
    /// <param name="meanNs">The mean time of a job here, ns.</param>
    /// <param name="isFull">Whether the queue is full.</param>
    public static long OwnWaitNs(int ahead, int slots, long meanNs, bool isFull) =>
        isFull ? long.MaxValue : ExpectedWait.Ns(slots + ahead, slots, meanNs);

    /// <summary>The peer that the job goes to, or -1 when it stays here.</summary>
    /// <param name="peers">The peers.</param>
    /// <param name="ownWaitNs">The wait here, ns.</param>
    /// <param name="ownMeanNs">The mean time of a job here, ns.</param>
    /// <param name="rttNs">The time to a peer and back, ns.</param>
    /// <param name="nowNs">The time of this node's own clock, ns.</param>
    /// <param name="random">The source of the choice.</param>
    /// <param name="bestWaitNs">The wait at the better peer, ns; <see cref="long.MaxValue"/> without one.</param>
    public static int Choose(
        ReadOnlySpan<PeerLoad> peers, long ownWaitNs, long ownMeanNs, long rttNs, long nowNs, Random random, out long bestWaitNs)
    {
        int one = Eligible(peers, -1, nowNs, random), other = Eligible(peers, one, nowNs, random);
        int best = other >= 0 && peers[other].WaitNs < peers[one].WaitNs ? other : one;
        bestWaitNs = best < 0 ? long.MaxValue : peers[best].WaitNs;
        bool isWorth = best >= 0 && bestWaitNs + (2 * rttNs) + (long)(ForwardLimits.Margin * ownMeanNs) < ownWaitNs;
        return isWorth ? best : -1;
    }

    /// <summary>A random eligible peer beside the one that was chosen; -1 when there is none.</summary>
    private static int Eligible(ReadOnlySpan<PeerLoad> peers, int beside, long nowNs, Random random)
    {
        int count = 0, chosen = -1;
        for (int i = 0; i < peers.Length; i++)
        {
            if (i != beside && peers[i].IsEligible(nowNs) && random.Next(++count) == 0)
            {
                chosen = i;
            }
        }

        return chosen;
    }
}
