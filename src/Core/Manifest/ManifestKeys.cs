namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// Every key of a manifest except the keys of its drivers, which are in <see cref="DriverTable"/>. Validation, schema and documentation use
/// both.
/// </summary>
internal static class ManifestKeys
{
    public static readonly IReadOnlyList<string> Types = ["python", "cpp", "dotnet", "perl", "javascript", "binary"];

    /// <summary>The keys of the whole file.</summary>
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new("name", KeyKind.AppName, "the name of the app", "the file's name"),
        new("type", KeyKind.Text, "the language of the app's code; binary is any program that speaks the worker protocol", "required")
        {
            Choices = Types,
        },
        new("args", KeyKind.Code, "the place of the app's code", "required"),
        new("version", KeyKind.Integer, "the release; a higher release replaces a running lower one without losing a job", "0"),
        new("engine", KeyKind.Section, "the settings of the engine, below", "its defaults"),
        new("isolation", KeyKind.Section, "the confinement of worker processes, below", "not at all"),
        new("pubsub", KeyKind.Section, "the app's monitoring socket, below"),
        new("cluster", KeyKind.Section, "the nodes of a cluster that run the app, below; a node alone reads past it", "all nodes"),
        new(
            "tasks", KeyKind.Tasks,
            "the sources of jobs, below: the key is the method that is called, `type` picks the driver", "required"),
    ];

    /// <summary><c>args</c>, when it is an object.</summary>
    public static readonly IReadOnlyList<KeySpec> Args =
    [
        new("source", KeyKind.Text, "`local:///absolute/path`, or a path relative to the manifest", "required"),
        new("argv", KeyKind.Words, "arguments that follow on the worker's command line") { AllowsEmpty = true, DefaultList = [] },
        new("env", KeyKind.Variables, "variables added to the worker's environment"),
        new("env-from", KeyKind.TextList, "variables that get the node's values: for secrets that no manifest should hold"),
        new(
            "env-files", KeyKind.Variables,
            "variables with values from files that only the node can read: the value here is the file's path, absolute, relative to the "
            + "manifest or `${CREDENTIALS_DIRECTORY}/NAME`"),
        new(
            "interpreter", KeyKind.Text,
            "the program that runs the source in place of the system's, absolute or relative to the manifest, such as `venv/bin/python`; "
            + "python, perl and javascript only"),
        new("wsgi", KeyKind.Text, "the WSGI application in the source, which answers every event; python only"),
    ];

    /// <summary><c>cluster</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Cluster =
    [
        new("nodes", KeyKind.Integer, "on how many nodes the app runs; the cluster chooses them", "all that fit") { Min = 1, Max = 4096 },
        new(
            "where", KeyKind.Lists,
            "labels that a node must have, each with one value or several that do: `{\"zone\": [\"a\", \"b\"], \"gpu\": \"yes\"}`", "none"),
        new(
            "without-engine", KeyKind.Text,
            "the effect on tasks with `run-on: one` when the cluster's engine is away: they stop, or go on at the last node that made "
            + "their jobs, which doubles them when that node alone is cut off", "stop")
        {
            Choices = ["stop", "last"],
        },
        new("forward", KeyKind.Boolean, "a job that would wait on its node may go to another one of these", "true"),
        new("rollout", KeyKind.Section, "the way of another version to the nodes, below", "its defaults"),
    ];

    /// <summary><c>cluster.rollout</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Rollout =
    [
        new("batch", KeyKind.Part, "how many nodes change at once: a number, or a part of the nodes such as `\"10%\"`", "1")
        {
            Min = 1,
            Max = 4096,
        },
        new("settle", KeyKind.Duration, "how long a node must be ready with the version before the next nodes change", "10s"),
        new(
            "max-errors", KeyKind.Integer,
            "the part of a node's jobs that may end in 500, 502 or 504, in percent; twice the part of the version before is always allowed",
            "1")
        {
            Max = 100,
        },
        new(
            "on-failure", KeyKind.Text,
            "the end of a version that fails on a node: all nodes go back to the version before, or the rollout stops where it is",
            "rollback")
        {
            Choices = ["rollback", "stop"],
        },
    ];

    /// <summary><c>pubsub</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Pubsub = [new("endpoint", KeyKind.Endpoint, "the monitoring socket", "required")];

    /// <summary><c>engine</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Engine =
    [
        new("backend", KeyKind.Text, "the kind of slaves: worker processes, or threads of the node (dotnet and cpp only)", "process")
        {
            Choices = ["process", "thread"],
        },
        new("pool-limit", KeyKind.Integer, "most slaves", "10") { Min = 1, Max = 1024 },
        new("loops", KeyKind.Integer, "loops that the app lives on, each with a share of the slaves and of the queue; see Loops", "1")
        {
            Min = 1,
            Max = 64, // a busy loop fills a core: see docs/manifest.md
        },
        new("pool-minimum", KeyKind.Integer, "slaves kept warm", "0") { Max = 1024 },
        new("grow-wait", KeyKind.Duration, "the expected wait of a job that is worth another slave; 0 = any wait", "5ms"),
        new("concurrency", KeyKind.Integer, "jobs in one slave at the same time; an event loop asks for more by itself", "1")
        {
            Min = 1,
            Max = 65536,
        },
        new("queue-limit", KeyKind.Integer, "the most waiting jobs; one more gets 503 at once; 0 = unlimited", "10"),
        new("queue-bytes", KeyKind.Bytes, "the most request bytes of waiting jobs; more gets 503 at once; 0 = unlimited", "128MiB")
        {
            Max = 1L << 40,
        },
        new(
            "queue-order", KeyKind.Text,
            "the next waiting job: the oldest; with adaptive, the newest while the oldest waits for longer than queue-target", "fifo")
        {
            Choices = ["fifo", "adaptive"],
        },
        new("queue-target", KeyKind.Duration, "the longest wait that an adaptive queue does not take for an overload", "100ms") { Min = 1 },
        new("queue-timeout", KeyKind.Duration, "longest wait in the queue; then 504, and the job never runs; 0 = none", "0"),
        new(
            "job-timeout", KeyKind.Duration,
            "longest run of a job, from its dispatch to the end of its answer; then 504, and its worker is told; 0 = none", "0"),
        new("heartbeat-timeout", KeyKind.Duration, "longest silence of a slave; then its jobs get 504, and it is killed", "30") { Min = 1 },
        new("startup-timeout", KeyKind.Duration, "time from launch to handshake and loaded code", "10") { Min = 1 },
        new("min-uptime", KeyKind.Duration, "a slave that ends so soon after it was ready, without a job done, is a failed start", "1"),
        new("suicide-timeout", KeyKind.Duration, "idle time after which a slave above pool-minimum retires", "600") { Min = 1 },
        new("termination-timeout", KeyKind.Duration, "time from terminate to SIGKILL", "5") { Min = 1 },
        new("retry-limit", KeyKind.Integer, "how often a job runs again when its slave dies; 0 = a job runs at most once", "1")
        {
            Max = 1000,
        },
        new(
            "retry-limit-max", KeyKind.Integer, "the greatest `retry_limit` that a caller may ask for, retry-limit or more",
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
        new("spin", KeyKind.Integer, "how long a slave looks for work before it parks, µs", "0 up to 4 cores, else 20") { Max = 1_000_000 },
        new("pipe-size", KeyKind.Bytes, "size of each of a slave's two rings, a power of two", "1MiB")
        {
            Min = 4096,
            Max = 1 << 30,
            IsPowerOfTwo = true,
        },
        new("ledger-jobs", KeyKind.Integer, "the latest jobs with records for `why`, rounded up to a power of two; 0 = none", "16384")
        {
            Max = 1 << 20,
        },
    ];

    /// <summary>The key of tasks whose jobs may come from one node of the cluster alone.</summary>
    /// <param name="usual">The default of the driver: <c>one</c> for times of the calendar, <c>all</c> for what follows the node.</param>
    public static KeySpec RunOn(string usual) => new(
        "run-on", KeyKind.Text,
        "in a cluster: jobs from one of the nodes that run the app, or from each of them; no difference on a node alone", usual)
    {
        Choices = ["one", "all"],
    };

    /// <summary>A key that every task has, whatever its driver.</summary>
    public static readonly KeySpec JobTimeout =
        new("job-timeout", KeyKind.Duration, "longest run of one of the task's jobs; 0 = none", "the engine's");
}
