using System.Net.Sockets;
using System.Reflection;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>
/// Things that a process must have ready before it serves. The runtime ends the process when it cannot open an assembly or start a thread,
/// so what is needed late, above all at the stop, is loaded early, and some descriptors are held back for the end.
/// </summary>
internal static class NodeReadiness
{
    /// <summary>Descriptors of a node at rest (about 130, most of them assemblies), one slave, some clients and commands.</summary>
    public const int LeastDescriptors = 176;

    /// <summary>Threads of a node at rest (15 to 20), what it keeps for its end, and one slave.</summary>
    public const int LeastThreads = 28;

    /// <summary>Descriptors that are free again when the stop begins: connections of commands, files that are written.</summary>
    private const int HeldBack = 8;

    /// <summary>Assemblies that a node needs first when it stops, fails, or is asked something: others are there from the start.</summary>
    private static readonly string[] Late =
    [
        "System.Diagnostics.StackTrace", "System.Reflection.Metadata", "System.Collections.Immutable", "System.IO.Compression",
        "System.Threading.Overlapped", "System.Text.Encoding.Extensions", "System.Net.NameResolution", "System.Net.NetworkInformation",
        "System.Linq", "System.Text.Json", "System.Text.RegularExpressions", "System.Threading.Channels", "System.Collections.Concurrent",
    ];

    private static readonly List<EventDescriptor> Held = [];

    /// <summary>Why a node cannot run at all with the limits of this process; null when it can.</summary>
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

    /// <summary>Loads what comes late, and holds descriptors back.</summary>
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
                // of another build of the runtime: it is not needed then
            }
        }

        while (Held.Count < HeldBack)
        {
            Held.Add(new EventDescriptor());
        }
    }

    /// <summary>The stop begins: what was held back is for it.</summary>
    public static void OpenReserve()
    {
        Held.ForEach(one => one.Dispose());
        Held.Clear();
    }

    /// <summary>Failures of a start that are told in one line.</summary>
    public static bool IsFailedStart(Exception failure) => failure is NodeException or IOException or UnauthorizedAccessException
        or SocketException or ThreadStartException or OutOfMemoryException;
}
