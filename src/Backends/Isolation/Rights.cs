using System.Globalization;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Isolation;

/// <summary>The rights of this process over its workers, from /proc/self.</summary>
internal sealed class Rights
{
    private const int SetGroup = 6, SetUser = 7, SystemNice = 23, SystemResource = 24;
    private const int MayEnter = 1; // X_OK of access(2)
    private const int NiceField = 18 - 2; // the 19th field of /proc/self/stat, without the two fields up to the name

    private readonly ulong _capabilities;
    private readonly HashSet<int> _cpus;
    private readonly Dictionary<string, long> _hardLimits;

    private Rights(ulong capabilities, HashSet<int> cpus, Dictionary<string, long> hardLimits, int nice)
    {
        _capabilities = capabilities;
        _cpus = cpus;
        _hardLimits = hardLimits;
        Nice = nice;
    }

    /// <summary>The priority of workers when the manifest sets none.</summary>
    public int Nice { get; }

    public static Rights OfThisProcess()
    {
        Dictionary<string, string> status = File.ReadLines("/proc/self/status").Select(line => line.Split(':', 2))
            .Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' '); // the name may contain anything, also a bracket
        return new Rights(
            ulong.Parse(status["CapEff"], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            [.. status["Cpus_allowed_list"].Split(',').SelectMany(Range)],
            File.ReadLines("/proc/self/limits").Skip(1).ToDictionary(line => line[..26].Trim(), HardLimit),
            int.Parse(fields[NiceField], CultureInfo.InvariantCulture));
    }

    /// <summary>Throws for the first right that this process lacks, and for the first thing that is missing.</summary>
    public void Check(IsolationSettings settings, Account? account)
    {
        bool changesUser = account is not null && account.UserId != LibC.geteuid();
        if (changesUser && !Has(SetUser))
        {
            throw new IOException($"isolation.user: to run workers as {settings.User} the node needs CAP_SETUID: run it as root");
        }

        if (changesUser && !IsMapped("/proc/self/uid_map", account!.UserId))
        {
            throw new IOException($"isolation.user: {settings.User} has the number {account.UserId}, which the node's user namespace does "
                + "not have: start the node with a mapping for it (/proc/self/uid_map)");
        }

        if (account is not null && account.GroupId != LibC.getegid() && !IsMapped("/proc/self/gid_map", account.GroupId))
        {
            throw new IOException($"isolation.user and group: the node's user namespace does not have the group {account.GroupId}: start "
                + "the node with a mapping for it (/proc/self/gid_map)");
        }

        if (account is not null && !Has(SetGroup) && !IsNodesOwn(account))
        {
            throw new IOException("isolation.user and group: to set the groups of workers the node needs CAP_SETGID: run it as root");
        }

        if (settings.Nice is { } nice && nice < Nice && !Has(SystemNice))
        {
            throw new IOException($"isolation.nice: for {nice}, before the node's own {Nice}, the node needs CAP_SYS_NICE: run it as root");
        }

        CheckLimit("files", "Max open files", settings.OpenFiles);
        CheckLimit("memory", "Max data size", settings.MemoryBytes);
        CheckLimit("cpu-time", "Max cpu time", settings.CpuTimeS);
        int[] missing = [.. settings.Cpus.Where(cpu => !_cpus.Contains(cpu))];
        if (missing.Length > 0)
        {
            throw new IOException(
                $"isolation.cpu-affinity: the node may not use CPU {string.Join(',', missing)}; "
                + $"it may use {string.Join(',', _cpus.Order())}");
        }

        if (settings.WorkingFolder is { } folder && !Directory.Exists(folder))
        {
            throw new IOException($"isolation.working-folder: there is no folder {folder}");
        }

        // The node itself enters the folder for a worker, before the worker becomes another user.
        if (settings.WorkingFolder is { } entered && LibC.access(entered, MayEnter) != 0)
        {
            throw new IOException($"isolation.working-folder: the node's user may not enter {entered}");
        }
    }

    /// <summary>The node may not set groups, and workers run as the node's user: workers then keep the node's groups.</summary>
    public bool LeavesGroups(Account account) => !Has(SetGroup) && IsNodesOwn(account);

    private static bool IsNodesOwn(Account account) => account.UserId == LibC.geteuid() && account.GroupId == LibC.getegid();

    /// <summary>
    /// Says whether a number is in this process's user namespace. Each line has the first number in the namespace, the first number
    /// outside, and the count.
    /// </summary>
    private static bool IsMapped(string file, uint number) => !File.Exists(file) || File.ReadLines(file)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(words => Array.ConvertAll(words, word => ulong.Parse(word, CultureInfo.InvariantCulture)))
        .Any(range => number >= range[0] && number < range[0] + range[2]);

    private void CheckLimit(string key, string name, long wanted)
    {
        if (wanted > _hardLimits.GetValueOrDefault(name, long.MaxValue) && !Has(SystemResource))
        {
            throw new IOException(
                $"isolation.{key}: {wanted} is over the node's hard limit of {_hardLimits[name]}: "
                + "without CAP_SYS_RESOURCE it cannot be raised");
        }
    }

    private bool Has(int capability) => (_capabilities >> capability & 1) == 1;

    /// <summary>Reads a line of /proc/self/limits: columns of 26, 21, 21 and 10 characters.</summary>
    private static long HardLimit(string line) =>
        long.TryParse(line[47..68], CultureInfo.InvariantCulture, out long limit) ? limit : long.MaxValue;

    private static IEnumerable<int> Range(string text)
    {
        int[] ends = [.. text.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
        return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
    }
}
