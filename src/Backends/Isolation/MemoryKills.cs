using System.Globalization;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Backends.Isolation;

/// <summary>
/// Tells whether the kernel killed a worker because memory ran out, when SIGKILL ended the worker. The kernel counts such kills for each
/// control group and for the machine. Lives on the app's loop.
/// </summary>
internal sealed class MemoryKills
{
    private const string Counter = "oom_kill", OfMachine = "/proc/vmstat";

    private readonly string? _groupFile;
    private long? _group, _machine; // the counts at the last look

    private MemoryKills(string? groupFile)
    {
        _groupFile = groupFile;
        (_group, _machine) = (Read(groupFile), Read(OfMachine));
    }

    /// <summary>Watches the kills of an app's workers: in the group that the manifest names, or in the node's group.</summary>
    public static MemoryKills Of(AppManifest app) => new(
        app.Isolation?.Cgroup is { } parent ? FileIn(Path.Combine(parent, app.Name)) : OwnGroupFile());

    /// <summary>The likely sender of a SIGKILL that ended a worker and did not come from the node.</summary>
    public string Explain()
    {
        long? group = Read(_groupFile), machine = Read(OfMachine);
        bool inGroup = group > _group, inMachine = machine > _machine, isKnown = group is not null || machine is not null;
        (_group, _machine) = (group, machine);
        return inGroup ? "most likely out of memory: the kernel's count of such kills (oom_kill) in its control group rose"
            : inMachine ? "perhaps out of memory: the kernel's count of such kills (oom_kill) on this machine rose"
            : isKnown ? "sent by a process other than the node"
            : "sent by a process other than the node, or by the kernel for want of memory: dmesg tells";
    }

    /// <summary>The count in a file of lines with a name and a number; null when the file has none.</summary>
    private static long? Read(string? file)
    {
        try
        {
            return file is null ? null : File.ReadLines(file).Select(line => line.Split(' '))
                .Where(words => words.Length == 2 && words[0] == Counter)
                .Select(words => (long?)long.Parse(words[1], CultureInfo.InvariantCulture)).FirstOrDefault();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// The file of the group of this process, which is the workers' group too; null when the file cannot be seen from here.
    /// </summary>
    private static string? OwnGroupFile()
    {
        try
        {
            // 4:memory:/system.slice/x.service with version 1, 0::/system.slice/x.service with version 2.
            string[][] groups =
                [.. File.ReadLines("/proc/self/cgroup").Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3)];
            return Mounted("cgroup", "memory", groups.FirstOrDefault(parts => parts[1].Split(',').Contains("memory"))?[2])
                ?? Mounted("cgroup2", "", groups.FirstOrDefault(parts => parts[0] == "0")?[2]);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// The file of a group in the place where its hierarchy is mounted. The path is relative to the mount's root, which in a container is a
    /// group further down.
    /// </summary>
    private static string? Mounted(string type, string option, string? group)
    {
        foreach (string line in group is null ? [] : File.ReadLines("/proc/self/mountinfo"))
        {
            // A line: 34 30 0:31 ROOT MOUNTPOINT rw,relatime - cgroup cgroup rw,memory
            string[] sides = line.Split(" - ", 2), fields = sides[0].Split(' ');
            string[] kind = sides[^1].Split(' ');
            if (fields.Length < 5 || kind.Length < 3 || kind[0] != type || (option.Length > 0 && !kind[2].Split(',').Contains(option)))
            {
                continue;
            }

            string root = fields[3] == "/" ? "" : fields[3];
            string below = group!.StartsWith(root, StringComparison.Ordinal) ? group[root.Length..] : "";
            if (FileIn(Path.Join(fields[4], below)) is { } file)
            {
                return file;
            }
        }

        return null;
    }

    private static string? FileIn(string folder) =>
        new[] { "memory.events", "memory.oom_control" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
