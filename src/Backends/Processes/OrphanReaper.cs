using System.Globalization;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// Takes the ends of processes that the kernel gave to this process because their parents have ended. As process 1 of a container this
/// process gets all orphans, and each would stay a zombie until the container's limit of processes is reached.
/// </summary>
/// <remarks>
/// The starter of a child takes the child's end itself. The launcher's set tells workers apart from orphans. A process group tells a child
/// that the app's code started within this process (a .NET app in threads): the child has this process's group, unless it asked for another
/// one. An orphan never has this group, since workers start in groups of their own.
/// </remarks>
internal sealed class OrphanReaper : IDisposable
{
    /// <summary>
    /// Time between two looks; a look costs one system call while no end is waiting. The signal that a child has ended is not used: once
    /// the runtime listens to it, the runtime takes the ends of all children itself, including workers.
    /// </summary>
    private const int PeriodMs = 1000;

    private const int GetChildSubreaper = 37;
    private const int State = 0, Parent = 1, Group = 2; // fields of /proc/PID/stat after the name

    private readonly Func<int, bool> _isOurs;
    private readonly Timer _timer;
    private int _isDue; // a look is on its way to the launcher's thread: no second one is queued there

    /// <summary>Starts looking.</summary>
    /// <param name="run">Runs a look on the thread that starts workers: no worker is started meanwhile.</param>
    /// <param name="isOurs">Says whether another part of this process takes the end of a child.</param>
    public OrphanReaper(Action<Action> run, Func<int, bool> isOurs)
    {
        _isOurs = isOurs;
        _timer = new Timer(
            _ =>
            {
                if (Interlocked.Exchange(ref _isDue, 1) == 0)
                {
                    run(Look);
                }
            },
            null, PeriodMs, PeriodMs);
    }

    /// <summary>
    /// True for a process that gets orphans: process 1, and a process that asked for orphans before it became this program.
    /// </summary>
    public static unsafe bool IsNeeded
    {
        get
        {
            int isSubreaper = 0;
            return Environment.ProcessId == 1 || (LibC.prctl(GetChildSubreaper, (nint)(&isSubreaper), 0, 0, 0) == 0 && isSubreaper != 0);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        Volatile.Write(ref _isDue, 0); // its other half is the exchange of the timer
        if (!ChildEnd.IsWaiting())
        {
            return;
        }

        string us = Text(Environment.ProcessId), group = Stat(us)?[Group] ?? "";
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int process) && Stat(Text(process)) is { } fields
                && fields[State] == "Z" && fields[Parent] == us && fields[Group] != group && !_isOurs(process))
            {
                ChildEnd.TakeIfEnded(process);
            }
        }
    }

    private static string[]? Stat(string process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4); // the name may contain anything, also a bracket
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
