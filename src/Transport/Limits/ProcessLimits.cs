using System.Globalization;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Limits;

/// <summary>
/// The limits of this process on the machine, and how much of them is in use: descriptors, and processes with their threads.
/// </summary>
/// <remarks>Safety: the structure that getrlimit fills is on the stack.</remarks>
internal static unsafe class ProcessLimits
{
    private const int Processes = 6, Files = 7; // RLIMIT_NPROC, RLIMIT_NOFILE
    private const string GroupRoot = "/sys/fs/cgroup";

    /// <summary>How long a count of the user's processes stays valid, ms: counting reads a file for each process of the machine.</summary>
    private const long CountHoldsMs = 1000;

    private static readonly Lock CountLock = new();
    private static readonly string[] Groups = FindGroups();
    private static long _countedMs = long.MinValue / 2; // under the lock, like the fields below
    private static int _counted;

    /// <summary>The limit of open files; int.MaxValue when there is none.</summary>
    public static int Descriptors => ReadLimit(Files);

    /// <summary>Descriptors that are open now.</summary>
    public static int DescriptorsUsed()
    {
        const string Own = "/proc/self/fd";
        if (FileStatus.TryRead(Own, out FileStatus status) && status.SizeBytes > 0)
        {
            return (int)status.SizeBytes; // Linux 6.2 and later
        }

        return Directory.EnumerateFileSystemEntries(Own).Count() - 1; // without the descriptor that lists the others
    }

    /// <summary>
    /// Processes and threads that may still be started by the tightest bound, and the bound's name; int.MaxValue without a bound. cgroups
    /// bound every user, RLIMIT_NPROC every user but root.
    /// </summary>
    public static (int Left, string Bound) ProcessesLeft()
    {
        int left = int.MaxValue;
        string bound = "";
        foreach (string folder in Groups)
        {
            if (ReadNumber($"{folder}/pids.max") is { } max && ReadNumber($"{folder}/pids.current") is { } now && max - now < left)
            {
                left = (int)Math.Max(0, max - now);
                bound = $"pids.max {max} of {folder}";
            }
        }

        int limit = LibC.geteuid() == 0 ? int.MaxValue : ReadLimit(Processes);
        if (limit != int.MaxValue && limit - TasksOfUser() is int mine && mine < left)
        {
            left = Math.Max(0, mine);
            bound = FormattableString.Invariant($"limit of {limit} processes and threads of this user (ulimit -u)");
        }

        return (left, bound);
    }

    /// <summary>This user has one process more or less: the remembered count is no longer valid.</summary>
    public static void Recount()
    {
        lock (CountLock)
        {
            _countedMs = long.MinValue / 2;
        }
    }

    private static int ReadLimit(int resource)
    {
        ulong* limits = stackalloc ulong[2]; // struct rlimit: soft, hard
        return LibC.getrlimit(resource, limits) == 0 && limits[0] < int.MaxValue ? (int)limits[0] : int.MaxValue;
    }

    private static long? ReadNumber(string file)
    {
        try
        {
            return long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out long number) ? number : null; // "max": none
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The groups of this process that have a bound for processes: its own group, and the groups above it.</summary>
    private static string[] FindGroups()
    {
        List<string> found = [];
        try
        {
            foreach (string line in File.ReadLines("/proc/self/cgroup"))
            {
                string[] parts = line.Split(':', 3); // "0::/path", or with version 1 "4:pids:/path"
                bool isSecond = parts is ["0", "", _], isFirst = parts.Length == 3 && parts[1].Split(',').Contains("pids");
                if (!isSecond && !isFirst)
                {
                    continue;
                }

                string root = isSecond ? GroupRoot : $"{GroupRoot}/pids";
                string? path = root + parts[2].TrimEnd('/');
                for (; path is not null && path.Length >= root.Length; path = Path.GetDirectoryName(path))
                {
                    if (File.Exists($"{path}/pids.max"))
                    {
                        found.Add(path);
                    }
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Without /proc or cgroups this bound does not exist.
        }

        return [.. found];
    }

    private static int TasksOfUser()
    {
        lock (CountLock)
        {
            if (Environment.TickCount64 - _countedMs >= CountHoldsMs)
            {
                _counted = Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[^1])).Sum(TasksOf);
                _countedMs = Environment.TickCount64;
            }

            return _counted;
        }
    }

    private static int TasksOf(string process)
    {
        if (!FileStatus.TryRead(Encoding.UTF8.GetBytes(process + '\0'), follow: true, out FileStatus status)
            || status.OwnerId != LibC.geteuid())
        {
            return 0;
        }

        try
        {
            string stat = File.ReadAllText($"{process}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' '); // the name may contain anything, also a bracket
            return int.Parse(fields[20 - 3], CultureInfo.InvariantCulture); // the 20th field, num_threads
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
