using System.Text;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// Jobs that other nodes run. Such a job counts here as running, and there as a job like any other. It comes back when its node has no
/// room, or is lost before the answer has begun.
/// </summary>
internal sealed class ForwardedJobs(EngineScope scope, SlavePool pool, Admission admission, JobEndings endings)
{
    /// <summary>How many jobs may run at once here.</summary>
    private int Slots => (int)Math.Clamp(pool.Roster.Limit * (long)scope.Concurrency, 1, LoadReport.MostJobs);

    /// <summary>The load of this engine, for other nodes.</summary>
    public LoadReport Load => new(
        Slots, Math.Max(0, endings.Running - endings.AtNodes), scope.Queue.Count,
        Math.Min(scope.Mean.Ns, LoadReport.LongestMeanNs));

    /// <summary>The node that takes a job for which no slave has room here; null when the job stays.</summary>
    /// <param name="policy">The caller's wishes.</param>
    /// <param name="isRefused">The job cannot wait here.</param>
    public IPeer? Choose(in JobPolicy policy, bool isRefused) =>
        scope.Forwarder?.Choose(new OwnQueue(scope.Queue.AheadOf(policy.Urgent), Slots, scope.Mean.Ns, isRefused));

    /// <summary>Gives a new job to another node.</summary>
    public void Send(Job job, IPeer peer)
    {
        job.Runs++;
        job.Runner = peer;
        job.DispatchedNs = scope.Loop.NowNs;
        job.MoveTo(JobState.Away);
        endings.CountRun();
        endings.AtNodes++;
        scope.Counters.JobsForwarded++;
        scope.Records.Ledger.Forwarded(job.Id, job.DispatchedNs, job.Runs, peer.Name);
        peer.Run(job);
    }

    /// <summary>The node had no room for the job: it waits here, where it would have waited, or fails when it cannot.</summary>
    public void OnRefused(Job job, in JobError error)
    {
        job.Runner = null;
        endings.AtNodes--;
        job.Runs--;
        scope.Counters.JobsForwardRefused++;
        if (scope.State == EngineState.Stopped || !job.Request.IsWhole || admission.MustRefuse)
        {
            endings.Fail(job, in error);
            return;
        }

        scope.Records.Ledger.TakenBack(job.Id, job.Runs);
        scope.Records.Ledger.Queued(job.Id, job.WaitsSinceNs);
        endings.OnComeBack(job);
        Wait();
    }

    /// <summary>
    /// The node is gone. A job whose answer has not begun runs again like one whose slave died. When the node may still be running the job,
    /// the job runs again only if its caller has said that it may run twice.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="peer">The node's name.</param>
    /// <param name="end">How it went.</param>
    public void OnLost(Job job, string peer, PeerEnd end)
    {
        job.Runner = null;
        endings.AtNodes--;
        scope.Counters.JobsForwardLost++;
        if (MayRunAgain(job, end))
        {
            endings.RunAgain(job);
            Wait();
            return;
        }

        string reason = end == PeerEnd.Silent ? $"node {peer} is unreachable; the job may or may not have run"
            : job.HasAnswerBegun ? $"node {peer} went away after the answer had begun"
            : $"node {peer} went away with the job, which may not run again";
        endings.Fail(job, new JobError(ErrorCodes.Category, ErrorCodes.AppError, Encoding.UTF8.GetBytes(reason)));
    }

    /// <summary>Keeps more of a request, as long as the job may have to run here, and sends it on.</summary>
    public static void WriteChunk(Job job, IPeer peer, in Payload chunk)
    {
        if (job.Request.IsWhole && job.Request.SizeBytes + (long)chunk.Length <= EngineLimits.MaxRetryRequestBytes)
        {
            job.Request.Add(in chunk);
        }
        else
        {
            job.Request.Forget();
        }

        peer.WriteChunk(job, in chunk);
    }

    private bool MayRunAgain(Job job, PeerEnd end)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool mayRunTwice = end == PeerEnd.Closed || job.Policy.Idempotent;
        return mayRunTwice && limit > 0 && job.Runs <= limit && !job.HasAnswerBegun && job.Request.IsWhole
            && scope.State != EngineState.Stopped;
    }

    /// <summary>A job has come back, and waits.</summary>
    private void Wait()
    {
        if (scope.Queue.Count - scope.Queue.Suspects.Count == 1)
        {
            admission.OnFirstWaiting();
        }

        pool.OnTakenBack();
        pool.Growth.Grow();
    }
}
