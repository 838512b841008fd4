namespace Cocaine.Fast.Core.Manifest;

/// <summary>The <c>isolation</c> part of a manifest: how an app's worker processes are confined. Null and 0 change nothing.</summary>
public sealed record IsolationSettings
{
    /// <summary>The user that workers run as, a name or a number.</summary>
    public string? User { get; init; }

    /// <summary>The workers' group; the user's own when only the user is given.</summary>
    public string? Group { get; init; }

    /// <summary>The most private memory of a worker, bytes; 0 = no limit.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>The most open files of a worker; 0 = the node's limit.</summary>
    public int OpenFiles { get; init; }

    /// <summary>The most CPU time of a worker in its life, s; 0 = no limit.</summary>
    public long CpuTimeS { get; init; }

    /// <summary>Priority from -20 (first) to 19 (last); null = the node's.</summary>
    public int? Nice { get; init; }

    /// <summary>CPUs that workers may use; empty = the node's.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>The folder that workers start in; null = the node's folder.</summary>
    public string? WorkingFolder { get; init; }

    /// <summary>Workers gain no rights by programs that they start, such as setuid programs.</summary>
    public bool NoNewPrivileges { get; init; } = true;

    /// <summary>A folder of cgroup v2 that was given to the node; the app gets a folder of its own in it.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Memory of all workers of the app together, bytes; 0 = no limit. Needs <see cref="Cgroup"/>.</summary>
    public long CgroupMemoryBytes { get; init; }

    /// <summary>CPU of all workers together, percent of one CPU; 0 = no limit. Needs <see cref="Cgroup"/>.</summary>
    public int CgroupCpuPercent { get; init; }

    /// <summary>Processes and threads of all workers together; 0 = no limit. Needs <see cref="Cgroup"/>.</summary>
    public int CgroupProcesses { get; init; }
}
