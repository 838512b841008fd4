using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Jobs;

/// <summary>The queue against a list that is searched.</summary>
public class JobQueueTests
{
    private const long TargetMs = 50, IntervalMs = 100;

    [Fact]
    public void Whatever_comes_and_goes_the_next_job_is_that_of_the_model() =>
        Gen.Select(Gen.Bool, Gen.Select(Gen.Int[0, 9], Gen.Int[0, 100]).Array[1, 200]).Sample((adaptive, steps) =>
        {
            QueueOrder order = adaptive ? QueueOrder.Adaptive : QueueOrder.Fifo;
            JobQueue queue = new(order, TargetMs, IntervalMs);
            Model model = new(order);
            BlockPool blocks = new();
            long nowMs = 0;
            ulong id = 0;
            foreach ((int what, int which) in steps)
            {
                switch (what)
                {
                    case <= 3:
                        Job job = NewJob(blocks, ++id, isUrgent: which % 4 == 0, nowMs);
                        job.Request.Add(new Payload(new byte[which]));
                        queue.Add(job);
                        model.Waiting.Add(job);
                        break;
                    case 4:
                        nowMs += which;
                        break;
                    case <= 7 when queue.Count > 0:
                        Job next = queue.Next(nowMs * 1_000_000)!;
                        Assert.Equal(model.Next(nowMs)!.Id, next.Id);
                        queue.Remove(next);
                        model.Remove(next);
                        if (which % 5 == 0)
                        {
                            next.Runs = 1; // its slave dies at once
                            queue.AddAgain(next);
                            model.Again.Insert(0, next);
                        }

                        break;
                    case 8 when queue.Count > 0:
                        Job some = model.All.ElementAt(which % queue.Count); // it expires, or its client goes away
                        queue.Remove(some);
                        model.Remove(some);
                        break;
                    case 9 when queue.Count > 0:
                        Job growing = model.All.ElementAt(which % queue.Count);
                        int before = growing.Request.SizeBytes;
                        growing.Request.Add(new Payload(new byte[which]));
                        queue.CountGrowth(growing, growing.Request.SizeBytes - before);
                        break;
                }

                Assert.Equal(model.All.Count(), queue.Count);
                Assert.Equal(model.All.Sum(job => (long)job.Request.SizeBytes), queue.SizeBytes);
            }
        });

    [Fact]
    public void The_newest_is_first_once_the_oldest_has_waited_over_the_target_for_an_interval_until_it_is_below()
    {
        JobQueue queue = new(QueueOrder.Adaptive, TargetMs, IntervalMs);
        BlockPool blocks = new();
        for (int i = 0; i < 4; i++)
        {
            queue.Add(NewJob(blocks, (ulong)i + 1, isUrgent: false, nowMs: i * 100));
        }

        Assert.Equal(1UL, Take(queue, nowMs: 149));
        Assert.Equal(2UL, Take(queue, nowMs: 150)); // the job that was over the target is gone
        Assert.Equal(4UL, Take(queue, nowMs: 350)); // the third is over it since 250
        Assert.True(queue.ServesNewest);
        queue.Add(NewJob(blocks, 5, isUrgent: false, nowMs: 360));
        Assert.Equal(5UL, Take(queue, nowMs: 361));
        Assert.Equal(3UL, Take(queue, nowMs: 362));
        Assert.False(queue.ServesNewest);
        queue.Add(NewJob(blocks, 6, isUrgent: false, nowMs: 370));
        queue.Add(NewJob(blocks, 7, isUrgent: false, nowMs: 371));
        Assert.Equal(6UL, Take(queue, nowMs: 420));
    }

    private static ulong Take(JobQueue queue, long nowMs)
    {
        Job job = queue.Next(nowMs * 1_000_000)!;
        queue.Remove(job);
        return job.Id;
    }

    private static Job NewJob(BlockPool blocks, ulong id, bool isUrgent, long nowMs)
    {
        Job job = new(null!, blocks);
        job.Begin(id, null!, 0, new TaskMonitor("task", sparse: true), [], new JobPolicy { Urgent = isUrgent }, nowMs * 1_000_000);
        return job;
    }

    /// <summary>The rules as they are said, one kind of jobs after the other.</summary>
    private sealed class Model(QueueOrder order)
    {
        private readonly long?[] _overSinceMs = new long?[2];

        public List<Job> Waiting { get; } = [];

        /// <summary>Those to be run again, the one that is next first.</summary>
        public List<Job> Again { get; } = [];

        public IEnumerable<Job> All => Again.Concat(Waiting);

        public Job? Next(long nowMs) => NextOf(isUrgent: true, nowMs) ?? NextOf(isUrgent: false, nowMs);

        public void Remove(Job job)
        {
            Again.Remove(job);
            Waiting.Remove(job);
            for (int kind = 0; kind < 2; kind++)
            {
                if (!Waiting.Exists(other => other.Policy.Urgent == (kind == 1)))
                {
                    _overSinceMs[kind] = null;
                }
            }
        }

        private Job? NextOf(bool isUrgent, long nowMs)
        {
            if (Again.Find(job => job.Policy.Urgent == isUrgent) is { } again)
            {
                return again;
            }

            List<Job> waiting = Waiting.FindAll(job => job.Policy.Urgent == isUrgent);
            if (waiting.Count == 0)
            {
                return null;
            }

            return order == QueueOrder.Adaptive && IsBehind(isUrgent ? 1 : 0, waiting[0], nowMs) ? waiting[^1] : waiting[0];
        }

        private bool IsBehind(int kind, Job oldest, long nowMs)
        {
            long overAtMs = (oldest.ArrivedNs / 1_000_000) + TargetMs;
            _overSinceMs[kind] = overAtMs >= nowMs ? null : Math.Min(_overSinceMs[kind] ?? overAtMs, overAtMs);
            return nowMs - _overSinceMs[kind] >= IntervalMs;
        }
    }
}
