using System.Globalization;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>What /proc says about processes.</summary>
internal static class ProcessTree
{
    /// <summary>True while it runs: a zombie does not.</summary>
    public static bool IsAlive(int process) => Stat(process) is { } fields && fields[0] is not ("Z" or "X");

    public static int[] Children(int parent) => [.. All().Where(process => Stat(process) is { } fields && fields[1] == Text(parent))];

    public static int[] Zombies(int parent) =>
        [.. All().Where(process => Stat(process) is { } fields && fields[1] == Text(parent) && fields[0] == "Z")];

    /// <summary>The process that ends what workers left when the node is killed.</summary>
    public static int[] Sentinels(int node) => [.. Children(node).Where(child => CommandOf(child).Contains("cocaine-sentinel"))];

    public static string CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
        .Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

    /// <summary>State, parent, group and so on; null of a process that is gone.</summary>
    private static string[]? Stat(int process)
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
