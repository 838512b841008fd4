namespace Cocaine.Fast.Backends.Tests.Isolation;

/// <summary>A test that makes control groups, where there is a hierarchy of version 2 that it may write.</summary>
internal sealed class CgroupFactAttribute : FactAttribute
{
    public CgroupFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess || Root is null)
        {
            Skip = "needs root and a cgroup v2 that can be written";
        }
    }

    /// <summary>Where the hierarchy is mounted; null when there is none that can be written.</summary>
    public static string? Root { get; } = File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
        .Where(fields => fields[2] == "cgroup2" && fields[3].Split(',').Contains("rw")).Select(fields => fields[1]).FirstOrDefault();
}
