using System.Globalization;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>A process. Its start time tells it from a later process with the same number.</summary>
internal readonly record struct ProcessIdentity(int Id, long StartClockTicks);

/// <summary>The processes in /proc. An ended process has no entry.</summary>
internal static class ProcessTable
{
    /// <summary>Fields of /proc/PID/stat after the bracket that ends the name, which may have blanks.</summary>
    private const int State = 0, Parent = 1, StartTime = 19;

    public static bool IsAlive(ProcessIdentity process) =>
        Fields(process.Id) is { } fields && fields[State] is not ("Z" or "X") && Number(fields[StartTime]) == process.StartClockTicks;

    /// <summary>The living children of a process.</summary>
    public static List<ProcessIdentity> Children(int parent)
    {
        List<ProcessIdentity> children = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) && Fields(id) is { } fields
                && fields[State] is not ("Z" or "X") && Number(fields[Parent]) == parent)
            {
                children.Add(new ProcessIdentity(id, Number(fields[StartTime])));
            }
        }

        return children;
    }

    /// <summary>
    /// Numbers of the living children of a process. Where the kernel lists them (CONFIG_PROC_CHILDREN), the method need not look at all
    /// processes.
    /// </summary>
    public static IEnumerable<int> ChildIds(int parent)
    {
        if (!File.Exists($"/proc/{parent}/task/{parent}/children"))
        {
            return Children(parent).Select(child => child.Id);
        }

        List<int> ids = [];
        try
        {
            foreach (string thread in Directory.EnumerateDirectories($"/proc/{parent}/task"))
            {
                ids.AddRange(File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(id => (int)Number(id)));
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // a thread has ended meanwhile: the children found so far count
        }

        return ids;
    }

    /// <summary>Says whether a process lives and is a child of another.</summary>
    public static bool IsChild(int process, int parent) =>
        Fields(process) is { } fields && fields[State] is not ("Z" or "X") && Number(fields[Parent]) == parent;

    /// <summary>Says whether a word is on a process's command line.</summary>
    public static bool HasWord(int process, string word)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0').Contains(word);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Resident memory, open descriptors, threads; zeros when the process has ended. Descriptors are null when this user may not see them.
    /// </summary>
    public static (long RssBytes, int? Descriptors, int Threads) Usage(int process)
    {
        try
        {
            long pages = Number(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1]);
            int? descriptors = SeesDescriptors(process) ? Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Count() : null;
            int threads = Directory.EnumerateDirectories($"/proc/{process}/task").Count();
            return (pages * Environment.SystemPageSize, descriptors, threads);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>
    /// True unless this user may not see the descriptors of a process that lives: a process that holds keys shows them to root alone.
    /// </summary>
    public static bool SeesDescriptors(int process)
    {
        try
        {
            using IEnumerator<string> entries = Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").GetEnumerator();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true; // the process has ended
        }
    }

    /// <summary>
    /// Open descriptors by kind: sockets, pipes, the names of files; without libraries, which .NET opens when it needs one.
    /// </summary>
    public static Dictionary<string, int> Descriptors(int process)
    {
        Dictionary<string, int> kinds = [];
        try
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries($"/proc/{process}/fd"))
            {
                string target = new FileInfo(entry).LinkTarget ?? "gone";
                if (target.EndsWith(".dll", StringComparison.Ordinal) || target.EndsWith(".so", StringComparison.Ordinal))
                {
                    continue;
                }

                int colon = target.IndexOf(':');
                bool isNumbered = colon > 0 && target[0] != '/' && !target.StartsWith("anon", StringComparison.Ordinal); // socket:[4711]
                string kind = isNumbered ? target[..colon] : target;
                kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // the descriptors found so far count
        }

        return kinds;
    }

    /// <summary>The place where a process has mapped memory of a name: the first such range.</summary>
    public static (long Start, long End)? Mapping(int process, string name)
    {
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/maps"))
            {
                if (line.Contains(name, StringComparison.Ordinal))
                {
                    string[] range = line[..line.IndexOf(' ')].Split('-');
                    return (long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                        long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // counts as none
        }

        return null;
    }

    private static string[]? Fields(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
