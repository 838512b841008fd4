using System.Diagnostics;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// One call of an event. Job objects are pooled for each engine, and only <see cref="MoveTo"/> changes a job's state. The job's timer
/// serves its nearest bound: the time in the queue, the deadline, or the silence of the slave; after an answer of the node, the end of the
/// job's channel.
/// </summary>
internal sealed class Job(IJobEngine engine, BlockPool blocks) : WheelTimer
{
    /// <summary>The engine of the job, in every state.</summary>
    public IJobEngine Engine { get; } = engine;

    public JobState State { get; private set; }

    /// <summary>The job's number within its app; refused jobs have numbers too. Valid in every state but Free.</summary>
    public ulong Id { get; private set; }

    /// <summary>The task that made the job. Valid in every state but Free.</summary>
    public TaskMonitor Task { get; private set; } = null!;

    /// <summary>The event to call, UTF-8. Valid in every state but Free.</summary>
    public byte[] Event { get; private set; } = [];

    public JobPolicy Policy { get; private set; }

    /// <summary>Gets the answer; null once the answer was given or the caller went away.</summary>
    public IJobCaller? Caller { get; set; }

    /// <summary>The caller's own number for the job. Valid while <see cref="Caller"/> is set.</summary>
    public ulong CallerChannel { get; private set; }

    /// <summary>The request, while the job may need it again. Valid in Queued, Placed and Running.</summary>
    public RequestLog Request { get; } = new(blocks);

    /// <summary>
    /// Chunks that the node keeps while the worker holds the request, or takes it in portions; the caller's end of the request waits behind
    /// them. Valid in Running and Streaming.
    /// </summary>
    public RequestLog KeptRequest { get; } = new(blocks);

    /// <summary>The caller has closed its side.</summary>
    public bool RequestEnded { get; set; }

    /// <summary>The request has ended, and all of it is kept: the job can go anywhere.</summary>
    public bool IsWhole => RequestEnded && Request.IsWhole;

    /// <summary>
    /// The job's slave, or its way to another loop or node. Valid in Placed, Running, Streaming and Away, and after an answer until the
    /// worker has closed its side.
    /// </summary>
    public IJobRunner? Runner { get; set; }

    /// <summary>The job's channel on the slave; valid with <see cref="Runner"/>.</summary>
    public ulong SlaveChannel { get; set; }

    /// <summary>The node has sent its terminal message on the slave's channel; valid with <see cref="Runner"/>.</summary>
    public bool NodeSideEnded { get; set; }

    /// <summary>The worker has been sent a cancel for the job; valid with <see cref="Runner"/>.</summary>
    public bool CancelSent { get; set; }

    /// <summary>How the rest of the request goes to the runner; valid with <see cref="Runner"/>.</summary>
    public RequestWay RequestWay { get; set; }

    /// <summary>When the worker asked to hold the request. Valid in <see cref="RequestWay.Held"/>.</summary>
    public long RequestHeldNs { get; set; }

    /// <summary>The bytes of the request that go on at once. Valid in <see cref="RequestWay.Portions"/>.</summary>
    public int PortionBytes { get; set; }

    /// <summary>The node keeps the rest of the request: it does not go to the runner at once; valid with <see cref="Runner"/>.</summary>
    public bool RequestHeld => RequestWay != RequestWay.Open;

    /// <summary>The worker was asked to hold the answer, because the caller has too much of it unsent; valid in Streaming.</summary>
    public bool AnswerHeld { get; set; }

    /// <summary>Another node, which has the job, has begun its answer. Valid in Away.</summary>
    public bool HasAnswerBegun { get; set; }

    /// <summary>Runs begun, the present one included.</summary>
    public int Runs { get; set; }

    /// <summary>The slaves that died of the job while they had no other job. Null when none did. Valid in every state but Free.</summary>
    public List<SlaveDeath>? Deaths { get; set; }

    /// <summary>
    /// Slaves that died with this job and others on them, and none of the jobs is charged, up to <see cref="EngineLimits.MostInCompany"/>:
    /// such a run does not count. Valid in every state but Free.
    /// </summary>
    public int InCompany { get; set; }

    /// <summary>
    /// Slaves that died of another job for which they were kept, up to <see cref="EngineLimits.MostSpared"/>: such a run does not count.
    /// Valid in every state but Free.
    /// </summary>
    public int Spared { get; set; }

    /// <summary>
    /// The suspects with which the job runs, because a slave died with them; 0 for none. Valid in every state but Free; does not change in
    /// Queued.
    /// </summary>
    public int SuspectGroup { get; set; }

    /// <summary>The job runs with no others than its group, because a slave died with it. Valid as its group.</summary>
    public bool IsSuspect => SuspectGroup != 0;

    /// <summary>The job belongs to another loop of its app and counts there. Valid in every state but Free.</summary>
    public bool IsGuest { get; set; }

    /// <summary>Slaves that died before they began the job, when it was the next to begin. Valid in every state but Free.</summary>
    public int Reprieves { get; set; }

    /// <summary>
    /// Jobs that were placed on slaves while this one was the next and its request was not whole, up to
    /// <see cref="EngineLimits.MostPassed"/>. Valid in Queued.
    /// </summary>
    public int Passed { get; set; }

    public long ArrivedNs { get; private set; }

    /// <summary>When the job was placed. Valid in Placed.</summary>
    public long PlacedNs { get; set; }

    /// <summary>
    /// Begin of the present wait: the job's arrival, or the end of a run that its slave did not survive. Valid in Queued and
    /// Placed.
    /// </summary>
    public long WaitsSinceNs { get; set; }

    /// <summary>Begin of the present run. Valid from Running on.</summary>
    public long DispatchedNs { get; set; }

    /// <summary>
    /// Begin of the present run by the loop's listened time, ms: the slave's silence counts from here. Valid from Running on; in
    /// Placed, the time when the job was placed.
    /// </summary>
    public long AwaitedSinceMs { get; set; }

    /// <summary>The caller was told that the request comes too fast; valid in Running and Streaming.</summary>
    public bool UnderPressure { get; set; }

    /// <summary>
    /// The job's slave is killed when it has not answered the cancel by this time, ms of the loop's listened time; 0 = no bound. Valid in
    /// Failed with a slave.
    /// </summary>
    public long CancelDueMs { get; set; }

    /// <summary>The job was answered because it ran for its job-timeout. Valid in Failed with a slave.</summary>
    public bool RanTooLong { get; set; }

    /// <summary>When an error of the node ended the job, ms of the loop's listened time. Valid in Failed with a slave.</summary>
    public long AnsweredMs { get; set; }

    /// <summary>The worker has not closed the channel in time; the node waits no longer. Valid in Failed with a slave.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>Links of the queue (Queued), of a slave's placed jobs (Placed) or of the engine's free list (Free).</summary>
    internal Job? Next { get; set; }

    /// <summary>Link of the queue or of a slave's placed jobs; valid in Queued and Placed.</summary>
    internal Job? Previous { get; set; }

    public bool IsAnswered => State is JobState.Done or JobState.Failed;

    /// <summary>Makes a free job a new one.</summary>
    public void Begin(ulong id, IJobCaller caller, ulong callerChannel, TaskMonitor task, byte[] name, in JobPolicy policy, long nowNs)
    {
        Debug.Assert(State == JobState.Free);
        Id = id;
        Caller = caller;
        CallerChannel = callerChannel;
        Task = task;
        Event = name;
        Policy = policy;
        ArrivedNs = WaitsSinceNs = nowNs;
        Runs = Reprieves = Passed = Spared = InCompany = SuspectGroup = 0;
        Deaths = null;
        RequestWay = RequestWay.Open;
        AnswerHeld = HasAnswerBegun = false;
        RequestEnded = NodeSideEnded = UnderPressure = IsAbandoned = RanTooLong = IsGuest = false;
        CancelDueMs = 0;
    }

    /// <summary>The only transition.</summary>
    public void MoveTo(JobState next)
    {
        bool legal = (State, next) switch
        {
            (JobState.Free, JobState.Queued or JobState.Running or JobState.Away or JobState.Failed) => true,
            (JobState.Queued, JobState.Placed or JobState.Running or JobState.Away or JobState.Failed) => true,
            (JobState.Away, JobState.Queued or JobState.Done or JobState.Failed) => true,
            (JobState.Placed, JobState.Queued or JobState.Running) => true,
            (JobState.Running, JobState.Queued or JobState.Streaming or JobState.Done or JobState.Failed) => true,
            (JobState.Streaming, JobState.Done or JobState.Failed) => true,
            (JobState.Done or JobState.Failed, JobState.Free) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"job {Id} cannot go from {State} to {next}");
        }

        State = next;
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs) => Engine.OnJobTimer(this, nowMs);
}
