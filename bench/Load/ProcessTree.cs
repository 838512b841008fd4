using System.Globalization;

namespace Cocaine.Fast.Bench.Load;

/// <summary>CPU and memory of processes with all their descendants, from /proc.</summary>
internal static class ProcessTree
{
    /// <summary>USER_HZ, 100 on every Linux of ours.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>User and system seconds of all of them until now, their ended children included.</summary>
    public static double CpuSeconds(IEnumerable<int> roots)
    {
        double ticks = 0;
        foreach (int pid in All(roots))
        {
            // The name may have blanks: fields count from behind its bracket. utime is field 14, cutime 16.
            string[]? fields = Fields(pid);
            ticks += fields is null ? 0
                : long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }

        return ticks / TicksPerSecond;
    }

    /// <summary>CPU by process name, seconds.</summary>
    public static Dictionary<string, double> CpuByProcess(IEnumerable<int> roots) => All(roots).ToDictionary(
        pid => $"{Name(pid)}-{pid}", pid => CpuSecondsOfOne(pid));

    /// <summary>Resident memory of all of them, bytes.</summary>
    public static long RssBytes(IEnumerable<int> roots) =>
        All(roots).Sum(pid =>
            Fields(pid) is { } fields ? long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize : 0);

    /// <summary>The processes and their descendants.</summary>
    public static List<int> All(IEnumerable<int> roots)
    {
        List<int> found = [.. roots];
        for (int i = 0; i < found.Count; i++)
        {
            try
            {
                foreach (string task in Directory.GetDirectories($"/proc/{found[i]}/task"))
                {
                    string children = File.ReadAllText($"{task}/children");
                    found.AddRange(children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pid =>
                        int.Parse(pid, CultureInfo.InvariantCulture)));
                }
            }
            catch (IOException)
            {
                // it has ended
            }
        }

        return found;
    }

    private static double CpuSecondsOfOne(int pid) => Fields(pid) is { } fields
        ? (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond
            : 0;

    private static string Name(int pid) => File.Exists($"/proc/{pid}/comm") ? File.ReadAllText($"/proc/{pid}/comm").Trim() : "?";

    private static string[]? Fields(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
