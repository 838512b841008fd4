using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Keeps job objects to use them again, so that a request makes no object. The bound is the most jobs that were alive at the same time.
/// </summary>
internal sealed class JobStore(IJobEngine engine, IEngineLoop loop)
{
    private Job? _free;

    public Job Take()
    {
        if (_free is not { } job)
        {
            return new Job(engine, loop.Blocks);
        }

        _free = job.Next;
        job.Next = null;
        return job;
    }

    /// <summary>Takes back a job that was answered and has left its slave.</summary>
    public void Return(Job job)
    {
        if (job.IsArmed)
        {
            loop.Timers.Cancel(job);
        }

        job.MoveTo(JobState.Free);
        job.Runner = null;
        job.Caller = null;
        job.Request.Clear();
        job.KeptRequest.Clear();
        job.Next = _free;
        _free = job;
    }
}
