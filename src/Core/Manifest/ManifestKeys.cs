namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// Every key that a manifest knows but those of its drivers, which are in <see cref="DriverTable"/>: both together are behind validation,
/// schema and documentation.
/// </summary>
internal static class ManifestKeys
{
    public static readonly IReadOnlyList<string> Types = ["python", "cpp", "dotnet", "perl", "javascript", "binary"];

    /// <summary>The whole.</summary>
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new("name", KeyKind.AppName, "what the app is called", "the file's name"),
        new("type", KeyKind.Text, "the language of its code; binary is any program that speaks the worker protocol", "required")
        {
            Choices = Types,
        },
        new("args", KeyKind.Code, "where its code is", "required"),
        new("version", KeyKind.Integer, "the release; a higher one replaces a running lower one without losing a job", "0"),
        new("engine", KeyKind.Section, "how it is run, below", "its defaults"),
        new("isolation", KeyKind.Section, "how its worker processes are confined, below", "not at all"),
        new("pubsub", KeyKind.Section, "the app's monitoring socket, below"),
        new(
            "tasks", KeyKind.Tasks,
            "what makes its jobs, below: the key is the method that is called, `type` picks the driver", "required"),
    ];

    /// <summary><c>args</c>, when it is an object.</summary>
    public static readonly IReadOnlyList<KeySpec> Args =
    [
        new("source", KeyKind.Text, "`local:///absolute/path`, or a path relative to the manifest", "required"),
        new("argv", KeyKind.Words, "words that follow on the worker's command line") { AllowsEmpty = true, DefaultList = [] },
        new("env", KeyKind.Variables, "variables added to the worker's environment"),
        new("env-from", KeyKind.TextList, "variables that the worker gets as the node has them: secrets that no manifest should hold"),
        new(
            "interpreter", KeyKind.Text,
            "the program that runs the source in place of the system's, absolute or relative to the manifest, such as `venv/bin/python`; "
            + "python, perl and javascript only"),
        new("wsgi", KeyKind.Text, "the WSGI application in the source, which answers every event; python only"),
    ];

    /// <summary><c>pubsub</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Pubsub = [new("endpoint", KeyKind.Endpoint, "the monitoring socket", "required")];

    /// <summary><c>engine</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Engine =
    [
        new("backend", KeyKind.Text, "what makes slaves: worker processes, or threads of the node (dotnet and cpp only)", "process")
        {
            Choices = ["process", "thread"],
        },
        new("pool-limit", KeyKind.Integer, "most slaves", "10") { Min = 1, Max = 1024 },
        new("pool-minimum", KeyKind.Integer, "slaves kept warm", "0") { Max = 1024 },
        new("concurrency", KeyKind.Integer, "jobs in one slave at once", "1") { Min = 1, Max = 65536 },
        new("queue-limit", KeyKind.Integer, "most jobs waiting; one more gets 503 at once; 0 = unlimited", "10"),
        new("queue-bytes", KeyKind.Bytes, "most request bytes of the jobs that wait; more gets 503 at once; 0 = unlimited", "128MiB")
        {
            Max = 1L << 40,
        },
        new(
            "queue-order", KeyKind.Text,
            "which waiting job is next: the oldest; with adaptive the newest while the oldest waits for longer than queue-target", "fifo")
        {
            Choices = ["fifo", "adaptive"],
        },
        new("queue-target", KeyKind.Duration, "the longest wait that is no overload to an adaptive queue", "100ms") { Min = 1 },
        new("queue-timeout", KeyKind.Duration, "longest wait in the queue; then 504, and the job is never run; 0 = none", "0"),
        new(
            "job-timeout", KeyKind.Duration,
            "longest run of a job, from its dispatch to the end of its answer; then 504, and its worker is told; 0 = none", "0"),
        new("heartbeat-timeout", KeyKind.Duration, "longest silence of a slave; over: its jobs get 504, it is killed", "30") { Min = 1 },
        new("startup-timeout", KeyKind.Duration, "from launch to handshake and loaded code", "10") { Min = 1 },
        new("min-uptime", KeyKind.Duration, "a slave that ends so soon after it was ready, and has done no job, is a failed start", "1"),
        new("suicide-timeout", KeyKind.Duration, "an idle slave above pool-minimum retires", "600") { Min = 1 },
        new("termination-timeout", KeyKind.Duration, "from terminate to SIGKILL", "5") { Min = 1 },
        new("retry-limit", KeyKind.Integer, "how often a job is run again when its slave dies; 0 = a job is run at most once", "1")
        {
            Max = 1000,
        },
        new(
            "retry-limit-max", KeyKind.Integer, "most that a caller's `retry_limit` may ask for, retry-limit or more",
            "0 when retry-limit is 0, else 5 or retry-limit")
        {
            Max = 1000,
        },
        new("max-jobs", KeyKind.Integer, "jobs after which a slave is replaced, ±10 %; 0 = off", "0"),
        new("max-age", KeyKind.Duration, "age after which a slave is replaced, ±10 %; 0 = off", "0"),
        new("max-rss", KeyKind.Bytes, "resident memory after which a slave is replaced, ±10 %; backend process only; 0 = off", "0")
        {
            Max = 1L << 40,
        },
        new("spin", KeyKind.Integer, "µs that a slave looks for work before it parks", "0 up to 4 cores, else 20") { Max = 1_000_000 },
        new("pipe-size", KeyKind.Bytes, "size of each of a slave's two rings, a power of two", "1MiB")
        {
            Min = 4096,
            Max = 1 << 30,
            IsPowerOfTwo = true,
        },
        new("ledger-jobs", KeyKind.Integer, "latest jobs whose records are kept for `why`, rounded up to a power of two; 0 = none", "16384")
        {
            Max = 1 << 20,
        },
    ];

    /// <summary>A key that a task has whatever its driver is.</summary>
    public static readonly KeySpec JobTimeout =
        new("job-timeout", KeyKind.Duration, "longest run of one of its jobs; 0 = none", "the engine's");
}
