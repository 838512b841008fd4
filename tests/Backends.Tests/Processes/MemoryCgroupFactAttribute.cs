namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>A test that bounds memory by a control group, of version 1 or 2, where root may make one.</summary>
internal sealed class MemoryCgroupFactAttribute : FactAttribute
{
    private const string Version1 = "/sys/fs/cgroup/memory", Version2 = "/sys/fs/cgroup";

    public MemoryCgroupFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess || Parent is null)
        {
            Skip = "needs root and a control group with the memory controller that can be written";
        }
    }

    private static string? Parent { get; } = Find();

    private static string? Find()
    {
        string? found = File.Exists(Path.Combine(Version1, "memory.limit_in_bytes")) ? Version1
            : File.Exists(Path.Combine(Version2, "cgroup.subtree_control"))
                && File.ReadAllText(Path.Combine(Version2, "cgroup.subtree_control")).Contains("memory") ? Version2 : null;
        try
        {
            string trial = Path.Combine(found ?? "", $"trial-{Guid.NewGuid():N}");
            if (found is not null)
            {
                Directory.CreateDirectory(trial);
                Directory.Delete(trial);
            }

            return found;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A group for one test.</summary>
    internal sealed class Group : IDisposable
    {
        private readonly string _folder = Path.Combine(Parent!, $"test-{Guid.NewGuid():N}");

        public Group(long bytes)
        {
            Directory.CreateDirectory(_folder);
            File.WriteAllText(Path.Combine(_folder, Parent == Version1 ? "memory.limit_in_bytes" : "memory.max"), $"{bytes}");
        }

        /// <summary>Who writes its number here is in it.</summary>
        public string Processes => Path.Combine(_folder, "cgroup.procs");

        public void Dispose()
        {
            for (int i = 0; i < 1000 && File.ReadAllText(Processes).Length > 0; i++)
            {
                Thread.Sleep(10); // what was killed is not gone at once
            }

            Directory.Delete(_folder);
        }
    }
}
