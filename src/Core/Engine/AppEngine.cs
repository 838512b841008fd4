using System.Text;
using Cocaine.Fast.Core.Engine.Handling;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Why a job was not accepted.</summary>
internal readonly record struct JobRefusal(int Code, string Reason);

/// <summary>
/// One app's engine: takes jobs from drivers, queues them, hands them to slaves, and sees to it that each gets exactly one answer.
/// Lives on one loop; all members are for its thread. What comes of a job is in <see cref="Answers"/>, of its request in <see
/// cref="Requests"/>, of its times in <see cref="JobBounds"/>.
/// </summary>
internal sealed class AppEngine
{
    private Action? _onStopped;

    /// <param name="name">The app's name.</param>
    /// <param name="settings">How it is run.</param>
    /// <param name="loop">Where it lives.</param>
    /// <param name="backend">Makes its slaves.</param>
    /// <param name="log">The app's log.</param>
    /// <param name="records">What outlives it.</param>
    /// <param name="counters">Those of the version that this one replaces on the same loop, so that they and the ids of jobs go on.</param>
    public AppEngine(
        string name, EngineSettings settings, IEngineLoop loop, ISlaveBackend backend, ILogger log, EngineRecords? records = null,
        EngineCounters? counters = null)
    {
        Counters = counters ?? new EngineCounters();
        Name = name;
        Settings = settings;
        Loop = loop;
        Log = log;
        Records = records ?? EngineRecords.None;
        Answers = new JobAnswers(this);
        Requests = new RequestFlow(this);
        Pool = new SlavePool(this, backend);
    }

    public string Name { get; }

    public EngineSettings Settings { get; }

    public IEngineLoop Loop { get; }

    public ILogger Log { get; }

    public EngineRecords Records { get; }

    public SlavePool Pool { get; }

    public JobAnswers Answers { get; }

    public RequestFlow Requests { get; }

    public JobQueue Queue { get; } = new();

    public EngineCounters Counters { get; }

    public EngineState State { get; private set; } = EngineState.Running;

    /// <summary>Refuses new jobs until it is resumed; those that it has go on.</summary>
    public bool IsPaused { get; set; }

    /// <summary>New jobs are not refused outright.</summary>
    public bool IsTaking => State == EngineState.Running && !IsPaused;

    /// <summary>Jobs on slaves whose answer is not whole yet.</summary>
    public int RunningJobs => Answers.Running;

    /// <summary>A slave became ready; raised each time.</summary>
    public event Action? SlaveReady;

    /// <summary>Starts failed too often; raised once for each streak, with the last cause.</summary>
    public event Action<string>? Broken;

    /// <summary>Launches the first slaves: as many as asked for, within the pool's bounds.</summary>
    public void Start(int slaves = 1) => Pool.Start(slaves);

    /// <summary>
    /// Takes a job, and gives it to a slave at once when one has room. The request's chunks follow by <see cref="AddChunk"/> and <see
    /// cref="EndRequest"/>.
    /// Null when it is refused.
    /// </summary>
    public Job? Submit(
        IJobCaller caller, ulong channel, TaskMonitor task, byte[] name, in JobPolicy policy, ReadOnlySpan<byte> headers,
        out JobRefusal refusal)
    {
        refusal = default;
        if (State != EngineState.Running || IsPaused)
        {
            refusal = State == EngineState.Running
                ? new JobRefusal(ErrorCodes.ResourceError, "the app is paused: it takes no new jobs until it is resumed")
                : State == EngineState.Draining
                ? new JobRefusal(ErrorCodes.ResourceError, "the app is draining: it takes no new jobs")
                : new JobRefusal(ErrorCodes.ServerError, "the app is not running");
            Counters.JobsRejected++;
            return null;
        }

        Slave? slave = Queue.Count == 0 ? Pool.Pick() : null;
        if (slave is null && !MayQueue(out refusal))
        {
            Counters.JobsRejected++;
            return null;
        }

        Job job = Answers.Take();
        job.Begin(++Counters.JobsAccepted, caller, channel, task, name, in policy, Loop.NowTicks);
        task.Accepted++;
        if (!headers.IsEmpty)
        {
            job.Request.SetHeaders(headers);
        }

        if (slave is not null)
        {
            Answers.CountRun();
            slave.Run(job);
        }
        else
        {
            job.MoveTo(JobState.Queued);
            Queue.Add(job);
            Pool.Grow();
        }

        ArmTimer(job);
        return job;
    }

    /// <summary>More of a job's request.</summary>
    public void AddChunk(Job job, in Payload chunk) => Requests.Add(job, in chunk);

    /// <summary>The request is whole.</summary>
    public void EndRequest(Job job) => RequestFlow.End(job);

    /// <summary>The caller went away or gave up: nobody gets an answer, and the worker is told.</summary>
    public void Cancel(Job job, ReadOnlySpan<byte> reason)
    {
        if (job.IsAnswered)
        {
            return;
        }

        job.Caller = null;
        Counters.JobsCancelled++;
        Answers.Fail(job, new JobError(ErrorCodes.Category, ErrorCodes.BadRequest, reason));
    }

    /// <summary>Answers a job with one of our errors.</summary>
    public void Fail(Job job, int code, string reason)
    {
        if (!job.IsAnswered)
        {
            Answers.Fail(job, new JobError(ErrorCodes.Category, code, Encoding.UTF8.GetBytes(reason)));
        }
    }

    /// <summary>The job that is next to run, for a slave with room.</summary>
    public Job TakeNext()
    {
        Job job = Queue.Take()!;
        Answers.CountRun();
        if (Settings.QueueTimeoutMs > 0 || job.Policy.SilenceTimeoutMs > 0)
        {
            ArmTimer(job, JobState.Running);
        }

        return job;
    }

    /// <summary>The nearest of the job's bounds is due.</summary>
    public void OnJobTimer(Job job, long nowMs)
    {
        switch (job.State)
        {
            case JobState.Done or JobState.Failed:
                if (job.Slave is { } stuck && job.CancelDueMs > 0 && nowMs >= job.CancelDueMs)
                {
                    stuck.Link.Kill(
                        $"job {job.Id} did not answer its cancel within the termination-timeout of {Settings.TerminationTimeoutMs} ms");
                }

                return;
            case JobState.Queued or JobState.Running or JobState.Streaming:
                JobBounds.Check(this, job, nowMs);
                return;
        }
    }

    /// <summary>Refuses new jobs, finishes the others, ends the slaves; then calls back once.</summary>
    public void Drain(Action onStopped)
    {
        _onStopped = onStopped;
        if (State == EngineState.Running)
        {
            State = EngineState.Draining;
        }

        CheckDrained();
    }

    /// <summary>Ends at once: every job that is left gets an error, every slave is killed.</summary>
    public void StopNow(string reason)
    {
        State = EngineState.Stopped;
        while (Queue.Count > 0)
        {
            Fail(Queue.Oldest!, ErrorCodes.ResourceError, reason);
        }

        foreach (Slave slave in Pool.Slaves.ToArray())
        {
            slave.FailAll(ErrorCodes.ResourceError, reason);
        }

        Pool.KillAll(reason);
        CheckDrained();
    }

    internal void OnSlaveReady() => SlaveReady?.Invoke();

    internal void OnBroken(string cause)
    {
        while (Queue.Count > 0)
        {
            Fail(Queue.Oldest!, ErrorCodes.ServerError, BrokenReason(cause));
        }

        Broken?.Invoke(cause);
    }

    /// <summary>Called after each change that may have ended the last job or slave of a draining engine.</summary>
    internal void CheckDrained()
    {
        if (State == EngineState.Running || Queue.Count + RunningJobs > 0)
        {
            return;
        }

        Pool.TerminateAll("the app stops");
        if (Pool.Total == 0)
        {
            State = EngineState.Stopped;
            Action? stopped = _onStopped;
            _onStopped = null;
            stopped?.Invoke();
        }
    }

    internal void ArmTimer(Job job) => ArmTimer(job, job.State);

    private void ArmTimer(Job job, JobState state)
    {
        long due = JobBounds.NextDueMs(this, job, state);
        if (due != long.MaxValue)
        {
            Loop.Timers.Arm(job, due);
        }
        else if (job.IsArmed)
        {
            Loop.Timers.Cancel(job);
        }
    }

    private bool MayQueue(out JobRefusal refusal)
    {
        refusal = default;
        if (Pool.IsBroken)
        {
            refusal = new JobRefusal(ErrorCodes.ServerError, BrokenReason(Pool.LastFailure));
        }
        else if (Settings.QueueLimit > 0 && Queue.Count >= Settings.QueueLimit)
        {
            refusal = new JobRefusal(ErrorCodes.ResourceError, $"the queue is full: {Queue.Count} jobs wait");
        }

        return refusal.Code == 0;
    }

    private static string BrokenReason(string cause) => $"the app cannot be started: {cause}";
}
