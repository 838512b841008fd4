using System.Globalization;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>Facts of the node's process; source: proc(5).</summary>
internal static class ProcessFacts
{
    private const string Limit = "Max open files";

    /// <summary>Open file descriptors.</summary>
    public static int OpenDescriptors => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();

    /// <summary>The soft limit of open file descriptors; infinity without one.</summary>
    public static double MostDescriptors
    {
        get
        {
            string line = File.ReadLines("/proc/self/limits").First(each => each.StartsWith(Limit, StringComparison.Ordinal));
            string soft = line[Limit.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            return double.TryParse(soft, CultureInfo.InvariantCulture, out double most) ? most : double.PositiveInfinity;
        }
    }
}
