using System.Globalization;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Turns the values of <c>isolation</c> into settings, and makes the checks that a table cannot express.</summary>
internal sealed class IsolationReader(ProblemList problems, JsonTree item)
{
    private const string At = "$.isolation";

    public IsolationSettings Read(Dictionary<string, object> values, BackendType backend)
    {
        if (backend == BackendType.Thread)
        {
            problems.Add(item.Offset, At, "only for backend process: threads are the node's own, and cannot be confined");
        }

        long Of(string key) => values.GetValueOrDefault(key) as long? ?? 0;
        if (IsolationKeys.IsTooLittleMemory(Of("memory")))
        {
            Wrong("memory", "16MiB or more, or 0: no worker starts in less");
        }

        if (Of("files") is > 0 and < 16)
        {
            Wrong("files", "16 or more, or 0: no worker starts with fewer");
        }

        foreach (string key in (string[])["cgroup-memory", "cgroup-cpu", "cgroup-processes"])
        {
            if (values.ContainsKey(key) && item["cgroup"] is null)
            {
                problems.Add(item[key]!.Offset, $"{At}.{key}", "is a limit of a cgroup: give the folder with 'cgroup'");
            }
        }

        return new IsolationSettings
        {
            User = Name(values, "user"),
            Group = Name(values, "group"),
            MemoryBytes = Of("memory"),
            OpenFiles = (int)Of("files"),
            CpuTimeS = (Of("cpu-time") + 999) / 1000, // the kernel counts in seconds
            Nice = (int?)(values.GetValueOrDefault("nice") as long?),
            Cpus = Cpus(values.GetValueOrDefault("cpu-affinity") as string),
            WorkingFolder = values.GetValueOrDefault("working-folder") as string,
            NoNewPrivileges = values.GetValueOrDefault("no-new-privileges") as bool? ?? true,
            Cgroup = values.GetValueOrDefault("cgroup") as string,
            CgroupMemoryBytes = Of("cgroup-memory"),
            CgroupCpuPercent = (int)Of("cgroup-cpu"),
            CgroupProcesses = (int)Of("cgroup-processes"),
        };
    }

    private string? Name(Dictionary<string, object> values, string key)
    {
        if (values.GetValueOrDefault(key) is not string text)
        {
            return null;
        }

        bool isNumber = text.All(char.IsAsciiDigit) && uint.TryParse(text, CultureInfo.InvariantCulture, out uint id) && id < uint.MaxValue;
        bool isName = text.Length <= 64 && (char.IsAsciiLetter(text[0]) || text[0] == '_')
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');
        if (isNumber || isName)
        {
            return text;
        }

        Wrong(key, $"the name of a {key}, or its number as a string");
        return null;
    }

    /// <summary>"0-3,6" as numbers, each once and in order.</summary>
    private int[] Cpus(string? text)
    {
        if (text is null)
        {
            return [];
        }

        SortedSet<int> cpus = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Trim().Split('-');
            if (ends.Length > 2 || !IsCpu(ends[0], out int first) || !IsCpu(ends[^1], out int last) || first > last)
            {
                Wrong("cpu-affinity", "CPUs and ranges of them, as \"0-3,6\"");
                return [];
            }

            cpus.UnionWith(Enumerable.Range(first, last - first + 1));
        }

        return [.. cpus];
    }

    private static bool IsCpu(string text, out int cpu) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out cpu) && cpu < IsolationKeys.MaxCpus;

    private void Wrong(string key, string expected) => problems.Wrong(item[key]!, $"{At}.{key}", expected);
}
