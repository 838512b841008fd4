using System.Net.Sockets;
using System.Reflection;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>
/// Prepares a process before it serves. The runtime ends the process when it cannot open an assembly or start a thread. So parts that are
/// needed late, above all at the stop, are loaded early, and some descriptors are held back for the end.
/// </summary>
internal static class NodeReadiness
{
    /// <summary>
    /// Descriptors of a node at rest (about 130, most of them assemblies), of one slave, and of some clients and commands.
    /// </summary>
    public const int LeastDescriptors = 176;

    /// <summary>Threads of a node at rest (15 to 20), the threads that it keeps for its end, and those of one slave.</summary>
    public const int LeastThreads = 28;

    /// <summary>Descriptors that become free when the stop begins, for connections of commands and for files.</summary>
    private const int HeldBack = 8;

    /// <summary>
    /// Assemblies that a node needs first when it stops, fails, or answers a command; all others are loaded from the start.
    /// </summary>
    private static readonly string[] Late =
    [
        "System.Diagnostics.StackTrace", "System.Reflection.Metadata", "System.Collections.Immutable", "System.IO.Compression",
        "System.Threading.Overlapped", "System.Text.Encoding.Extensions", "System.Net.NameResolution", "System.Net.NetworkInformation",
        "System.Linq", "System.Text.Json", "System.Text.RegularExpressions", "System.Threading.Channels", "System.Collections.Concurrent",
    ];

    private static readonly List<EventDescriptor> Held = [];

    /// <summary>Why a node cannot run at all with this process's limits; null when it can.</summary>
    public static string? ProblemOfLimits()
    {
        int files = ProcessLimits.Descriptors;
        if (files < LeastDescriptors)
        {
            return FormattableString.Invariant($"a node needs {LeastDescriptors} descriptors, and its limit is {files}: ")
                + "raise the limit of open files (ulimit -n, LimitNOFILE)";
        }

        (int left, string bound) = ProcessLimits.ProcessesLeft();
        int threads = Directory.GetDirectories("/proc/self/task").Length;
        return left == int.MaxValue || left + threads >= LeastThreads ? null
            : FormattableString.Invariant($"a node needs {LeastThreads} processes and threads, and {left + threads} are allowed: ")
                + $"raise the {bound}";
    }

    /// <summary>Loads late parts, and holds descriptors back.</summary>
    /// <exception cref="IOException">There are too few descriptors.</exception>
    public static void Prepare()
    {
        foreach (string name in Late)
        {
            try
            {
                Assembly.Load(name);
            }
            catch (FileNotFoundException)
            {
                // the assembly belongs to another build of the runtime: this one does not need it
            }
        }

        while (Held.Count < HeldBack)
        {
            Held.Add(new EventDescriptor());
        }
    }

    /// <summary>The stop begins: it may use the descriptors that were held back.</summary>
    public static void OpenReserve()
    {
        Held.ForEach(one => one.Dispose());
        Held.Clear();
    }

    /// <summary>Failures of a start that are reported in one line.</summary>
    public static bool IsFailedStart(Exception failure) => failure is NodeException or IOException or UnauthorizedAccessException
        or SocketException or ThreadStartException or OutOfMemoryException;
}
