using System.Security.Cryptography;

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

/// <summary>Which of the jobs that wait is next.</summary>
public enum QueueOrder
{
    /// <summary>By their arrival.</summary>
    Fifo,

    /// <summary>By their arrival; the newest first while the oldest has waited for too long.</summary>
    Adaptive,
}

/// <summary>Where an app's code is.</summary>
public sealed record CodeSource
{
    /// <summary>Absolute path of the file to run.</summary>
    public required string Source { get; init; }

    /// <summary>Words that follow on the worker's command line.</summary>
    public IReadOnlyList<string> Argv { get; init; } = [];

    /// <summary>The WSGI application in the source, which then answers every event; null when it has events. Python only.</summary>
    public string? Wsgi { get; init; }

    /// <summary>Variables added to the worker's environment.</summary>
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of variables that the worker gets with the values that they have in the node's environment.</summary>
    public IReadOnlyList<string> EnvFrom { get; init; } = [];

    /// <summary>Absolute path of the interpreter; null = the node's choice. Python, Perl and JavaScript only.</summary>
    public string? Interpreter { get; init; }
}

/// <summary>The <c>engine</c> part of a manifest. The defaults are the manifest's.</summary>
public sealed record EngineSettings
{
    /// <summary>The maker of slaves.</summary>
    public BackendType Backend { get; init; } = BackendType.Process;

    /// <summary>Most slaves, 1 to 1024.</summary>
    public int PoolLimit { get; init; } = 10;

    /// <summary>Slaves kept warm.</summary>
    public int PoolMinimum { get; init; }

    /// <summary>Jobs in one slave at once.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>Most jobs waiting; 0 = unlimited.</summary>
    public int QueueLimit { get; init; } = 10;

    /// <summary>Most request bytes of the jobs that wait; 0 = unlimited. The default is two messages of the largest size.</summary>
    public long QueueBytes { get; init; } = 128 << 20;

    /// <summary>Which of the jobs that wait is next.</summary>
    public QueueOrder QueueOrder { get; init; }

    /// <summary>Wait of the oldest job that is too long for an adaptive queue, ms.</summary>
    public long QueueTargetMs { get; init; } = 100;

    /// <summary>Longest wait in the queue, ms; 0 = none.</summary>
    public long QueueTimeoutMs { get; init; }

    /// <summary>Longest run of a job, ms; 0 = none. A task may have its own.</summary>
    public long JobTimeoutMs { get; init; }

    /// <summary>Longest silence of a slave, ms.</summary>
    public long HeartbeatTimeoutMs { get; init; } = 30_000;

    /// <summary>From launch to loaded code, ms.</summary>
    public long StartupTimeoutMs { get; init; } = 10_000;

    /// <summary>
    /// Time after it was ready within which a slave's end is a failed start unless it has done a job, ms. The default is what supervisors
    /// of processes take: what is wrong with an app shows in its first second, and who lives longer is no load when it is started again.
    /// </summary>
    public long MinUptimeMs { get; init; } = 1_000;

    /// <summary>Idleness after which a slave above the minimum retires, ms.</summary>
    public long SuicideTimeoutMs { get; init; } = 600_000;

    /// <summary>From terminate to SIGKILL, ms.</summary>
    public long TerminationTimeoutMs { get; init; } = 5_000;

    /// <summary>How often a job is run again when its slave dies.</summary>
    public int RetryLimit { get; init; } = 1;

    /// <summary>
    /// The most that a caller's <c>retry_limit</c> may ask for. When it is not set: 0 with a retry limit of 0, so that "at most once" is
    /// what callers get whatever they ask for, else 5 or the retry limit, whichever is more.
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
    /// How long a slave looks for work before it parks, µs. Not at all where cores are few: it takes them from those who have work.
    /// </summary>
    public int SpinMicroseconds { get; init; } = DefaultSpinMicroseconds;

    /// <summary>0 up to 4 cores, else 20 µs.</summary>
    public static int DefaultSpinMicroseconds => Environment.ProcessorCount > 4 ? 20 : 0;

    /// <summary>Size of each of a slave's two rings in bytes, a power of two.</summary>
    public int PipeSizeBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Jobs whose records are kept, the latest; 0 = none. The default takes 4 MiB, which stay in a usual cache's reach, and is a second or
    /// so of full load, hours of a quiet app: long enough to ask about an error that was just seen.
    /// </summary>
    public int LedgerJobs { get; init; } = 16_384;

    /// <summary>
    /// Time between a slave's heartbeats, ms: often enough that three late ones are not yet a silence, and no more often than 5 s for those
    /// who are patient, since each costs a wake-up of both sides.
    /// </summary>
    internal int HeartbeatPeriodMs => (int)Math.Clamp(HeartbeatTimeoutMs / 4, 1, UsualHeartbeatMs);

    /// <summary>Each run of a job that kills costs a slave: as many as a caller may take who did not ask the operator.</summary>
    private const int UsualRetryLimitMax = 5;

    /// <summary>How often a job is run again, when its caller asks for so much; null when it asks for nothing.</summary>
    internal int RetryLimitOf(int? asked) => asked is { } own ? Math.Min(own, RetryLimitMax) : RetryLimit;

    /// <summary>The period of workers that are not told another, ms.</summary>
    internal const int UsualHeartbeatMs = 5000;
}

/// <summary>An app as its manifest describes it.</summary>
public sealed record AppManifest
{
    /// <summary>Name, <c>[a-z0-9._-]{1,64}</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of code.</summary>
    public required AppType Type { get; init; }

    /// <summary>Where the code is.</summary>
    public required CodeSource Code { get; init; }

    /// <summary>The release; a higher one replaces a running lower one.</summary>
    public int Version { get; init; }

    /// <summary>How it is run.</summary>
    public EngineSettings Engine { get; init; } = new();

    /// <summary>How its worker processes are confined; null = not at all.</summary>
    public IsolationSettings? Isolation { get; init; }

    /// <summary>The app's monitoring socket, or null.</summary>
    public string? PubsubEndpoint { get; init; }

    /// <summary>The sources of its jobs, at least one.</summary>
    public required IReadOnlyList<TaskManifest> Tasks { get; init; }

    /// <summary>The file that it was read from; null when it was made in code.</summary>
    public string? FilePath { get; init; }

    /// <summary>SHA-256 of the text that it was read from; null when it was made in code.</summary>
    public string? TextSha256 { get; init; }

    /// <summary>The <see cref="TextSha256"/> of a text; a byte order mark is none of it.</summary>
    internal static string DigestOf(ReadOnlySpan<byte> utf8) => Convert.ToHexStringLower(SHA256.HashData(JsonText.WithoutMark(utf8)));
}
