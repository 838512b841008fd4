namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The counts of an engine since its start. Only the loop's thread writes them.</summary>
internal sealed class EngineCounters
{
    private static readonly int[] Codes = [400, 401, 403, 404, 413, 500, 502, 503, 504, 520];
    private readonly long[] _errors = new long[Codes.Length + 1];

    /// <summary>The number of the last job; refused jobs have numbers too.</summary>
    public ulong LastJobId { get; set; }

    /// <summary>Accepted jobs. At each moment accepted = done + failed + queued + running.</summary>
    public ulong JobsAccepted { get; set; }

    public ulong JobsDone { get; set; }

    /// <summary>Jobs answered with an error, including jobs that their caller gave up.</summary>
    public ulong JobsFailed { get; set; }

    /// <summary>Jobs that were never accepted: the queue was full, or the app was broken or draining.</summary>
    public ulong JobsRejected { get; set; }

    /// <summary>Accepted jobs that no slave had room for when they came.</summary>
    public ulong JobsWaited { get; set; }

    /// <summary>Counts by reasons.</summary>
    public ReasonCounters Reasons { get; } = new();

    /// <summary>Runs begun again because a slave died.</summary>
    public ulong JobsRetried { get; set; }

    /// <summary>Times that the node took jobs back from a slave that had not begun them.</summary>
    public ulong Recalls { get; set; }

    /// <summary>
    /// Jobs that left a slave, by a recall or with its death, before the slave had begun them. Nothing is charged to these jobs.
    /// </summary>
    public ulong JobsTakenBack { get; set; }

    /// <summary>Jobs that went to another loop of the app, because they had waited for too long.</summary>
    public ulong JobsSentAway { get; set; }

    /// <summary>Jobs among them that came back not begun, because that loop had no room any more.</summary>
    public ulong JobsSentBack { get; set; }

    /// <summary>Jobs that another node took, because they would have waited here for too long.</summary>
    public ulong JobsForwarded { get; set; }

    /// <summary>Jobs among them that the other node had no room for.</summary>
    public ulong JobsForwardRefused { get; set; }

    /// <summary>Jobs among them whose node went away.</summary>
    public ulong JobsForwardLost { get; set; }

    /// <summary>Jobs of other nodes that were accepted here.</summary>
    public ulong JobsTaken { get; set; }

    /// <summary>Jobs whose caller gave up or went away.</summary>
    public ulong JobsCancelled { get; set; }

    /// <summary>Cancelled jobs whose caller's connection had ended.</summary>
    public ulong ClientsGone { get; set; }

    /// <summary>
    /// Jobs that the node answered and that their slave did not end in time afterwards. They are counted under failed, too.
    /// </summary>
    public ulong JobsAbandoned { get; set; }

    /// <summary>Jobs that killed every slave they ran on.</summary>
    public ulong JobsQuarantined { get; set; }

    public ulong SlavesStarted { get; set; }

    public ulong SlavesDied { get; set; }

    public ulong SlavesKilled { get; set; }

    /// <summary>Failed starts: slaves that were not ready in time or ended before, and slaves that died young.</summary>
    public ulong SlaveStartFailures { get; set; }

    /// <summary>Slaves that ended soon after they were ready, without a job done.</summary>
    public ulong SlavesDiedYoung { get; set; }

    /// <summary>Slaves replaced because of engine.max-jobs, max-age or max-rss.</summary>
    public ulong RecycledForJobs { get; private set; }

    /// <inheritdoc cref="RecycledForJobs"/>
    public ulong RecycledForAge { get; private set; }

    /// <inheritdoc cref="RecycledForJobs"/>
    public ulong RecycledForMemory { get; private set; }

    /// <summary>Slaves that were replaced, or ended, because they had jobs that they would not end.</summary>
    public ulong RecycledForAbandonedJobs { get; private set; }

    /// <summary>Replacements that did not come up.</summary>
    public ulong RecyclingsFailed { get; set; }

    /// <summary>Times that the queue changed from oldest first to newest first.</summary>
    public ulong Overloads { get; set; }

    public ulong HeartbeatsSeen { get; set; }

    public ulong StartupTimeouts { get; set; }

    public ulong HeartbeatTimeouts { get; set; }

    public ulong QueueTimeouts { get; set; }

    public ulong SilenceTimeouts { get; set; }

    public ulong Deadlines { get; set; }

    /// <summary>Jobs that ran for their job-timeout.</summary>
    public ulong JobTimeouts { get; set; }

    /// <summary>Deaths of slaves with several jobs on them, where no job was charged.</summary>
    public ulong UnprovenDeaths { get; set; }

    /// <summary>Counts a slave that has a ready replacement, or ends before its replacement starts.</summary>
    public void CountRecycled(WearReason reason)
    {
        switch (reason)
        {
            case WearReason.Jobs:
                RecycledForJobs++;
                break;
            case WearReason.Age:
                RecycledForAge++;
                break;
            case WearReason.Memory:
                RecycledForMemory++;
                break;
            case WearReason.AbandonedJobs:
                RecycledForAbandonedJobs++;
                break;
        }
    }

    /// <summary>Counts a failed job by its code; all codes of the app count together.</summary>
    public void CountError(int code)
    {
        int index = Array.IndexOf(Codes, code);
        _errors[index < 0 ? Codes.Length : index]++;
    }

    /// <summary>Failed jobs with a code that speaks against the code of the app: 500, 502 or 504.</summary>
    public long FailedByApp => _errors[Array.IndexOf(Codes, 500)] + _errors[Array.IndexOf(Codes, 502)] + _errors[Array.IndexOf(Codes, 504)];

    /// <summary>The sums of the counts of an app's loops.</summary>
    public static EngineCounters Sum(IEnumerable<EngineCounters> all)
    {
        EngineCounters sum = new();
        foreach (EngineCounters one in all)
        {
            sum.Add(one);
        }

        return sum;
    }

    /// <summary>A copy of the present counts.</summary>
    public EngineCounters Copy() => Sum([this]);

    private void Add(EngineCounters one)
    {
        LastJobId = Math.Max(LastJobId, one.LastJobId);
        JobsAccepted += one.JobsAccepted;
        JobsDone += one.JobsDone;
        JobsFailed += one.JobsFailed;
        JobsRejected += one.JobsRejected;
        JobsWaited += one.JobsWaited;
        JobsRetried += one.JobsRetried;
        Recalls += one.Recalls;
        JobsTakenBack += one.JobsTakenBack;
        JobsSentAway += one.JobsSentAway;
        JobsSentBack += one.JobsSentBack;
        JobsForwarded += one.JobsForwarded;
        JobsForwardRefused += one.JobsForwardRefused;
        JobsForwardLost += one.JobsForwardLost;
        JobsTaken += one.JobsTaken;
        JobsCancelled += one.JobsCancelled;
        ClientsGone += one.ClientsGone;
        JobsAbandoned += one.JobsAbandoned;
        JobsQuarantined += one.JobsQuarantined;
        AddSlaves(one);
        Overloads += one.Overloads;
        QueueTimeouts += one.QueueTimeouts;
        SilenceTimeouts += one.SilenceTimeouts;
        Deadlines += one.Deadlines;
        JobTimeouts += one.JobTimeouts;
        for (int i = 0; i < _errors.Length; i++)
        {
            _errors[i] += one._errors[i];
        }
    }

    private void AddSlaves(EngineCounters one)
    {
        SlavesStarted += one.SlavesStarted;
        SlavesDied += one.SlavesDied;
        SlavesKilled += one.SlavesKilled;
        SlaveStartFailures += one.SlaveStartFailures;
        SlavesDiedYoung += one.SlavesDiedYoung;
        RecycledForJobs += one.RecycledForJobs;
        RecycledForAge += one.RecycledForAge;
        RecycledForMemory += one.RecycledForMemory;
        RecycledForAbandonedJobs += one.RecycledForAbandonedJobs;
        RecyclingsFailed += one.RecyclingsFailed;
        HeartbeatsSeen += one.HeartbeatsSeen;
        StartupTimeouts += one.StartupTimeouts;
        HeartbeatTimeouts += one.HeartbeatTimeouts;
        UnprovenDeaths += one.UnprovenDeaths;
        Reasons.Add(one.Reasons);
    }

    /// <summary>Failed jobs by code, and under "app" those with the app's own codes; only codes that occurred.</summary>
    public IReadOnlyDictionary<string, long> Errors
    {
        get
        {
            Dictionary<string, long> errors = [];
            for (int i = 0; i < _errors.Length; i++)
            {
                if (_errors[i] > 0)
                {
                    errors[i < Codes.Length ? Codes[i].ToString(System.Globalization.CultureInfo.InvariantCulture) : "app"] = _errors[i];
                }
            }

            return errors;
        }
    }

    /// <summary>The promise: no job is lost, and none is counted twice.</summary>
    public bool Holds(int queued, int running) => JobsAccepted == JobsDone + JobsFailed + (ulong)queued + (ulong)running;
}
