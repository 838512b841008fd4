using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Forwarding;

/// <summary>
/// Whatever other nodes do with jobs, and whatever happens here meanwhile: each job has exactly one outcome, the counts hold at every step,
/// and no job runs twice that may not.
/// </summary>
public class ForwardingModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Each_job_has_one_outcome_whatever_its_node_does(ulong first)
    {
        ulong sent = 0, refused = 0, lost = 0, retried = 0;
        for (ulong seed = first * 1_000_000; seed < (first * 1_000_000) + 100; seed++)
        {
            try
            {
                World world = Run(new SimRandom(seed), Sabotage.None);
                sent += world.Engine.Counters.JobsForwarded;
                refused += world.Engine.Counters.JobsForwardRefused;
                lost += world.Engine.Counters.JobsForwardLost;
                retried += world.Engine.Counters.JobsRetried;
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }

        Assert.True(sent > 800 && refused > 80 && lost > 80 && retried > 40, $"{sent}, {refused}, {lost}, {retried}: the test tests little");
    }

    [Theory]
    [InlineData(Sabotage.LosesInSilence)]
    [InlineData(Sabotage.AnswersTwice)]
    [InlineData(Sabotage.RefusesAndAnswers)]
    internal void A_mistake_is_found(Sabotage sabotage)
    {
        int found = 0;
        for (ulong seed = 1; seed <= 20; seed++)
        {
            try
            {
                Run(new SimRandom(seed), sabotage);
            }
            catch (Exception)
            {
                found++;
            }
        }

        Assert.InRange(found, 15, 20); // a few runs lose no peer
    }

    private static World Run(SimRandom random, Sabotage sabotage)
    {
        EngineSettings settings = new()
        {
            PoolLimit = random.Between(1, 3),
            PoolMinimum = 1,
            Concurrency = random.Chance(60) ? 1 : random.Between(2, 4),
            QueueLimit = random.Between(1, 20),
            QueueTimeoutMs = random.Chance(50) ? 0 : random.Between(20, 500),
            JobTimeoutMs = random.Chance(60) ? 0 : random.Between(20, 500),
            RetryLimit = random.Between(0, 2),
        };
        World world = new(settings);
        FakePeers peers = new(world, random.Between(1, 4), sabotage);
        int share = random.Between(10, 100);
        peers.Choice = _ => random.Chance(share) ? peers.All[random.Below(peers.All.Count)] : null;
        int steps = random.Between(50, 250);
        for (int i = 0; i < steps; i++)
        {
            Step(random, world, peers.All[random.Below(peers.All.Count)]);
            world.AssertCounts();
        }

        if (random.Chance(20))
        {
            world.Engine.StopNow("the test stops it"); // in the middle of everything
            world.AssertCounts();
        }

        foreach (FakePeer peer in peers.All)
        {
            foreach (Job job in peer.Jobs.ToArray())
            {
                peer.Close(job);
            }
        }

        Assert.Equal((0, 0), (peers.Jobs, world.Engine.Endings.AtNodes));
        world.Finish();
        Assert.Equal((0, 0), (peers.Jobs, world.Engine.Endings.AtNodes));
        return world;
    }

    private static void Step(SimRandom random, World world, FakePeer peer)
    {
        Job? job = peer.Jobs.Count > 0 ? random.Of(peer.Jobs) : null;
        switch (random.Below(24))
        {
            case < 8:
                world.Ask(
                    "event",
                    new JobPolicy { Urgent = random.Chance(10), Idempotent = random.Chance(50), DeadlineMs = random.Chance(20) ? random.Between(1, 200) : 0 },
                    random.Chance(5) ? 2 << 20 : 4);
                break;
            case 8 when job is not null:
                peer.Chunk(job);
                break;
            case 9 or 10 when job is not null:
                peer.Close(job);
                break;
            case 11 when job is not null:
                peer.Fail(job);
                break;
            case 12 or 13 when job is { HasAnswerBegun: false }:
                peer.Refuse(job);
                break;
            case 14 when random.Chance(40):
                Go(peer, random.Chance(50) ? PeerEnd.Closed : PeerEnd.Silent);
                break;
            case 15 when world.Open.Count > 0:
                Job failed = random.Of(world.Open);
                failed.Engine.Fail(failed, 503, "its client reads too slowly");
                break;
            case 16 when job is not null:
                world.More(job, random.Below(1000));
                break;
            case 17:
                world.Advance(random.Between(1, 20));
                break;
            default:
                world.Step(random.Between(3, 10), random.Below(60));
                break;
        }
    }

    /// <summary>A job that may be running still runs nowhere else, unless its caller has said that it may.</summary>
    private static void Go(FakePeer peer, PeerEnd end)
    {
        List<(Job Job, ulong Id, bool MayAgain)> jobs = peer.Jobs.ConvertAll(
            job => (job, job.Id, !job.HasAnswerBegun && (end == PeerEnd.Closed || job.Policy.Idempotent)));
        peer.Go(end);
        foreach ((Job job, ulong id, bool mayAgain) in jobs)
        {
            Assert.True(mayAgain || job.Id != id || job.State is JobState.Free or JobState.Failed, $"a lost job is {job.State}");
        }
    }
}
