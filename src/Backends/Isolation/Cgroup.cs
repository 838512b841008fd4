using System.Globalization;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Backends.Isolation;

/// <summary>The control group of an app, in a folder that was given to the node.</summary>
internal static class Cgroup
{
    /// <summary>The period of cpu.max, µs: the kernel's own default.</summary>
    private const int CpuPeriodMicroseconds = 100_000;

    private const string Processes = "cgroup.procs";

    /// <summary>Makes the app's control group with its limits; returns the path of the file by which a process joins the group.</summary>
    /// <exception cref="IOException">The folder is no cgroup v2, or the node may not write in it.</exception>
    public static string Make(string app, IsolationSettings settings)
    {
        string parent = settings.Cgroup!;
        if (!File.Exists(Path.Combine(parent, "cgroup.controllers")))
        {
            throw new IOException($"isolation.cgroup: {parent} is no folder of cgroup v2");
        }

        string folder = Path.Combine(parent, app);
        try
        {
            Directory.CreateDirectory(folder);
            Limit(folder, "memory.max", settings.CgroupMemoryBytes, Text(settings.CgroupMemoryBytes));
            Limit(folder, "pids.max", settings.CgroupProcesses, Text(settings.CgroupProcesses));
            long quota = settings.CgroupCpuPercent * (CpuPeriodMicroseconds / 100L);
            Limit(folder, "cpu.max", settings.CgroupCpuPercent, $"{Text(quota)} {Text(CpuPeriodMicroseconds)}");
            return Path.Combine(folder, Processes);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"isolation.cgroup: the node may not write in {parent}: {refused.Message}", refused);
        }
    }

    private static void Limit(string folder, string file, long wanted, string text)
    {
        string path = Path.Combine(folder, file);
        if (!File.Exists(path))
        {
            if (wanted > 0)
            {
                throw new IOException(
                    $"isolation.cgroup: {folder} has no {file}: "
                    + $"write +{file.Split('.')[0]} into cgroup.subtree_control of the folder above");
            }

            return;
        }

        File.WriteAllText(path, wanted > 0 ? text : "max"); // clears a limit of an earlier version
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
