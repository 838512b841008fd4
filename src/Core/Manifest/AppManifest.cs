using Cocaine.Fast.Core.Digests;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The kind of app that a manifest describes.</summary>
public enum AppType
{
    /// <summary>A Python file.</summary>
    Python,

    /// <summary>A C++ program or shared object.</summary>
    Cpp,

    /// <summary>A .NET assembly.</summary>
    DotNet,

    /// <summary>A Perl file.</summary>
    Perl,

    /// <summary>A JavaScript module.</summary>
    JavaScript,

    /// <summary>Any program that speaks the worker protocol.</summary>
    Binary,
}

/// <summary>The maker of an app's slaves.</summary>
public enum BackendType
{
    /// <summary>Worker processes.</summary>
    Process,

    /// <summary>Threads of the node; .NET and C++ apps only.</summary>
    Thread,
}

/// <summary>Decides which waiting job is next.</summary>
public enum QueueOrder
{
    /// <summary>Jobs go in the order of their arrival.</summary>
    Fifo,

    /// <summary>Jobs go in the order of their arrival; the newest first while the oldest has waited for too long.</summary>
    Adaptive,
}

/// <summary>The place of an app's code.</summary>
public sealed record CodeSource
{
    /// <summary>Absolute path of the file to run.</summary>
    public required string Source { get; init; }

    /// <summary>Arguments that follow on the worker's command line.</summary>
    public IReadOnlyList<string> Argv { get; init; } = [];

    /// <summary>The WSGI application in the source, which then answers every event; null when the source has events. Python only.</summary>
    public string? Wsgi { get; init; }

    /// <summary>Variables added to the worker's environment.</summary>
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of variables that the worker gets with the node's own values.</summary>
    public IReadOnlyList<string> EnvFrom { get; init; } = [];

    /// <summary>
    /// Paths of files with the values of variables, by the variables' names. A path is absolute or begins with systemd's folder
    /// (<see cref="Security.CredentialPath"/>). The files are read at each start of a worker.
    /// </summary>
    public IReadOnlyDictionary<string, string> EnvFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>Absolute path of the interpreter; null = the node's choice. Python, Perl and JavaScript only.</summary>
    public string? Interpreter { get; init; }
}

/// <summary>The <c>cluster</c> part of a manifest: the nodes that run the app.</summary>
public sealed record AppPlacement
{
    /// <summary>On how many nodes the app runs; null = on all that fit.</summary>
    public int? Nodes { get; init; }

    /// <summary>The labels that a node must have, each with the values that do.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Where { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>
    /// When the cluster's engine is away, tasks with <c>run-on: one</c> go on at the last node that made their jobs.
    /// </summary>
    public bool GoesOnWithoutEngine { get; init; }

    /// <summary>Jobs may go from one of these nodes to another.</summary>
    public bool Forwards { get; init; } = true;

    /// <summary>The way of another version to these nodes.</summary>
    public AppRollout Rollout { get; init; } = new();
}

/// <summary>The <c>cluster.rollout</c> part of a manifest: the way of another version to the nodes.</summary>
public sealed record AppRollout
{
    /// <summary>How many nodes change at once, 1 or more. The default is one: a version that breaks costs one node.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>The same as a part of the nodes that the app means, 1 to 100 %; null to count <see cref="Batch"/>.</summary>
    public int? BatchPercent { get; init; }

    /// <summary>How long a node must be ready before it has proven the version, ms: code that breaks on load breaks by then.</summary>
    public long SettleMs { get; init; } = 10_000;

    /// <summary>The part of a node's jobs that may end in 500, 502 or 504, percent, if the version before was not worse.</summary>
    public int MaxErrorsPercent { get; init; } = 1;

    /// <summary>Whether all nodes go back to the version before when the new one fails; else the rollout stops where it is.</summary>
    public bool RollsBack { get; init; } = true;
}

/// <summary>The <c>engine</c> part of a manifest. The defaults are the manifest's.</summary>
public sealed record EngineSettings
{
    /// <summary>The maker of slaves.</summary>
    public BackendType Backend { get; init; } = BackendType.Process;

    /// <summary>Loops that the app lives on, each with a share of the slaves and of the queue, 1 to 64.</summary>
    public int Loops { get; init; } = 1;

    /// <summary>The most slaves, 1 to 1024.</summary>
    public int PoolLimit { get; init; } = 10;

    /// <summary>Slaves that are kept warm.</summary>
    public int PoolMinimum { get; init; }

    /// <summary>
    /// Wait of a job that is worth another slave, ms; 0 = any wait. The default is a few times what the start of a job may be late on a
    /// busy machine: jobs that are done sooner need no process more.
    /// </summary>
    public long GrowWaitMs { get; init; } = 5;

    /// <summary>Jobs in one slave at the same time. When this is not set, a worker with an event loop may wish for more.</summary>
    public int Concurrency
    {
        get;
        init
        {
            field = value;
            IsConcurrencySet = true;
        }
    } = 1;

    /// <summary>The concurrency was set: a worker's wish does not count.</summary>
    internal bool IsConcurrencySet { get; private init; }

    /// <summary>The most waiting jobs; 0 = unlimited.</summary>
    public int QueueLimit { get; init; } = 10;

    /// <summary>The most request bytes of waiting jobs; 0 = unlimited. The default is two messages of the largest size.</summary>
    public long QueueBytes { get; init; } = 128 << 20;

    /// <summary>Decides which waiting job is next.</summary>
    public QueueOrder QueueOrder { get; init; }

    /// <summary>The wait of the oldest job from which on it is too long for an adaptive queue, ms.</summary>
    public long QueueTargetMs { get; init; } = 100;

    /// <summary>Longest wait in the queue, ms; 0 = none.</summary>
    public long QueueTimeoutMs { get; init; }

    /// <summary>Longest run of a job, ms; 0 = none. A task may have a value of its own.</summary>
    public long JobTimeoutMs { get; init; }

    /// <summary>Longest silence of a slave, ms.</summary>
    public long HeartbeatTimeoutMs { get; init; } = 30_000;

    /// <summary>Time from launch to loaded code, ms.</summary>
    public long StartupTimeoutMs { get; init; } = 10_000;

    /// <summary>
    /// Time after it was ready within which a slave's end counts as a failed start, unless the slave has done a job, ms. Supervisors of
    /// processes use the same default: a faulty app fails in its first second, and a slave that lives longer is no load when it is started
    /// again.
    /// </summary>
    public long MinUptimeMs { get; init; } = 1_000;

    /// <summary>Idle time after which a slave above the minimum retires, ms.</summary>
    public long SuicideTimeoutMs { get; init; } = 600_000;

    /// <summary>Time from terminate to SIGKILL, ms.</summary>
    public long TerminationTimeoutMs { get; init; } = 5_000;

    /// <summary>How often a job runs again when its slave dies.</summary>
    public int RetryLimit { get; init; } = 1;

    /// <summary>
    /// The greatest <c>retry_limit</c> that a caller may ask for. When it is not set, it is 0 with a retry limit of 0, so that callers get
    /// "at most once" whatever they ask for; otherwise it is 5 or the retry limit, whichever is greater.
    /// </summary>
    public int RetryLimitMax
    {
        get => field >= 0 ? field : RetryLimit == 0 ? 0 : Math.Max(RetryLimit, UsualRetryLimitMax);
        init;
    } = -1;

    /// <summary>Jobs after which a slave is replaced; 0 = never.</summary>
    public long MaxJobs { get; init; }

    /// <summary>Age after which a slave is replaced, ms; 0 = never.</summary>
    public long MaxAgeMs { get; init; }

    /// <summary>Resident memory after which a slave is replaced, bytes; 0 = never.</summary>
    public long MaxRssBytes { get; init; }

    /// <summary>
    /// How long a slave looks for work before it parks, µs. The default is 0 where cores are few, because a looking slave takes the core
    /// from others that have work.
    /// </summary>
    public int SpinMicroseconds { get; init; } = DefaultSpinMicroseconds;

    /// <summary>0 up to 4 cores, else 20 µs.</summary>
    public static int DefaultSpinMicroseconds => Environment.ProcessorCount > 4 ? 20 : 0;

    /// <summary>Size of each of a slave's two rings in bytes, a power of two.</summary>
    public int PipeSizeBytes { get; init; } = 1 << 20;

    /// <summary>
    /// The number of jobs whose records are kept, the latest ones; 0 = none. The default takes 4 MiB, which a usual cache holds. It is
    /// about a second of full load or hours of a quiet app: long enough to ask about an error that was just seen.
    /// </summary>
    public int LedgerJobs { get; init; } = 16_384;

    /// <summary>
    /// Time between a slave's heartbeats, ms. It is short enough that three late heartbeats are not yet a silence. With a long timeout it
    /// is still 5 s, since each heartbeat wakes both sides.
    /// </summary>
    internal int HeartbeatPeriodMs => (int)Math.Clamp(HeartbeatTimeoutMs / 4, 1, UsualHeartbeatMs);

    /// <summary>
    /// Each run of a job that kills costs a slave. This is the most that a caller may take when the operator has set no limit.
    /// </summary>
    private const int UsualRetryLimitMax = 5;

    /// <summary>How often a job runs again when its caller asks for so many runs; null when the caller asks for none.</summary>
    internal int RetryLimitOf(int? asked) => asked is { } own ? Math.Min(own, RetryLimitMax) : RetryLimit;

    /// <summary>The period of workers that are not given another one, ms.</summary>
    internal const int UsualHeartbeatMs = 5000;
}

/// <summary>An app as its manifest describes it.</summary>
public sealed record AppManifest
{
    /// <summary>Name, <c>[a-z0-9._-]{1,64}</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of the code.</summary>
    public required AppType Type { get; init; }

    /// <summary>The place of the code.</summary>
    public required CodeSource Code { get; init; }

    /// <summary>The release; a higher release replaces a running lower one.</summary>
    public int Version { get; init; }

    /// <summary>The engine's settings.</summary>
    public EngineSettings Engine { get; init; } = new();

    /// <summary>The confinement of the app's worker processes; null = none.</summary>
    public IsolationSettings? Isolation { get; init; }

    /// <summary>The nodes of a cluster that run the app; a node alone reads past it.</summary>
    public AppPlacement Placement { get; init; } = new();

    /// <summary>The node's cluster has the app, and its tasks with <c>run-on: one</c> ask it before they make jobs.</summary>
    internal bool IsOfCluster { get; init; }

    /// <summary>The app's monitoring socket, or null.</summary>
    public string? PubsubEndpoint { get; init; }

    /// <summary>The sources of the app's jobs, at least one.</summary>
    public required IReadOnlyList<TaskManifest> Tasks { get; init; }

    /// <summary>The file of the manifest; null when the manifest was made in code.</summary>
    public string? FilePath { get; init; }

    /// <summary>SHA-256 of the manifest's text; null when the manifest was made in code.</summary>
    public string? TextSha256 { get; init; }

    /// <summary>The <see cref="TextSha256"/> of a text, without its byte order mark.</summary>
    internal static string DigestOf(ReadOnlySpan<byte> utf8) => Sha256.HexOf(JsonText.WithoutMark(utf8));
}
