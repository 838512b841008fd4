using System.Globalization;

namespace Cocaine.Fast.Bench.Load;

/// <summary>CPU and memory of processes and their descendants, from /proc.</summary>
internal static class ProcessTree
{
    /// <summary>USER_HZ, 100 on every Linux of ours.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Fields of /proc/PID/stat, counted from behind the bracket that ends the name, which may have blanks.</summary>
    private const int UserTime = 11, SystemTime = 12, ChildrenUserTime = 13, ChildrenSystemTime = 14, ResidentPages = 21;

    /// <summary>User and system seconds of these processes until now.</summary>
    public static double CpuSeconds(IEnumerable<int> pids) =>
        pids.Sum(pid => Field(pid, UserTime) + Field(pid, SystemTime)) / TicksPerSecond;

    /// <summary>User and system seconds of the children of this process that have ended.</summary>
    public static double EndedChildrenCpuSeconds() =>
        (Field(Environment.ProcessId, ChildrenUserTime) + Field(Environment.ProcessId, ChildrenSystemTime)) / TicksPerSecond;

    /// <summary>Resident memory of processes and their descendants, bytes; what they share is counted in each.</summary>
    public static long RssBytes(IEnumerable<int> roots) => All(roots).Sum(pid => Field(pid, ResidentPages)) * Environment.SystemPageSize;

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

    /// <summary>A number of a process that may have ended: then 0.</summary>
    private static long Field(int pid, int index)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[index], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
