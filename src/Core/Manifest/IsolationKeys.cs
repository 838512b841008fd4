namespace Cocaine.Fast.Core.Manifest;

/// <summary>The keys of <c>isolation</c>.</summary>
internal static class IsolationKeys
{
    /// <summary>No runtime starts with less memory.</summary>
    private const long MinMemoryBytes = 16 << 20;

    /// <summary>More CPUs than Linux is built for.</summary>
    public const int MaxCpus = 8192;

    public static readonly IReadOnlyList<KeySpec> All =
    [
        new("user", KeyKind.Text, "the user that workers run as: a name of /etc/passwd, or a number", "the node's"),
        new("group", KeyKind.Text, "the group of workers: a name of /etc/group, or a number", "the user's own"),
        new("memory", KeyKind.Bytes, "private memory of a worker (RLIMIT_DATA); past it the worker gets no more; 0 = no limit", "0")
        {
            Max = 1L << 44,
        },
        new("files", KeyKind.Integer, "open files of a worker (RLIMIT_NOFILE); 0 = the node's limit", "0") { Max = 1 << 20 },
        new("cpu-time", KeyKind.Duration, "CPU time of a worker in its life (RLIMIT_CPU, whole seconds); then it is ended; 0 = none", "0"),
        new("nice", KeyKind.Integer, "priority, from -20 (first) to 19 (last)", "the node's") { Min = -20, Max = 19 },
        new("cpu-affinity", KeyKind.Text, "the CPUs that workers may use: `0-3,6`", "the node's"),
        new("working-folder", KeyKind.AbsolutePath, "where workers start", "the node's"),
        new("no-new-privileges", KeyKind.Boolean, "workers gain no rights by programs that they start, such as setuid programs", "true"),
        new("cgroup", KeyKind.AbsolutePath, "a folder of cgroup v2 that the node may write; the app gets a folder of its own in it"),
        new("cgroup-memory", KeyKind.Bytes, "memory of all workers together (memory.max); 0 = no limit", "0") { Max = 1L << 44 },
        new("cgroup-cpu", KeyKind.Integer, "CPU of all workers together, percent of one CPU (cpu.max); 0 = no limit", "0")
        {
            Max = 1_000_000,
        },
        new("cgroup-processes", KeyKind.Integer, "processes and threads of all workers together (pids.max); 0 = no limit", "0"),
    ];

    public static bool IsTooLittleMemory(long bytes) => bytes is > 0 and < MinMemoryBytes;
}
