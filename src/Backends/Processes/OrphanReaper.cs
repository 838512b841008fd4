using System.Globalization;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// Takes the ends of processes that the kernel gave to us because their parents have ended: as process 1 of a container we get all of its
/// orphans, and each would stay a zombie until the container's limit of processes is reached.
/// </summary>
/// <remarks>
/// The ends of children that we started ourselves are taken by those who started them. A worker is told by the launcher's set. A child
/// that the app's code started within this process (a .NET app in threads) is told by its process group: it has ours, unless it asked for
/// another; an orphan never has ours, since workers start in groups of their own.
/// </remarks>
internal sealed class OrphanReaper : IDisposable
{
    /// <summary>
    /// Time between two looks: a system call while there is nothing to be taken. The signal that a child has ended is not used: once the
    /// runtime listens to it, it takes the ends of all children itself, those of workers included.
    /// </summary>
    private const int PeriodMs = 1000;

    private const int GetChildSubreaper = 37;
    private const int State = 0, Parent = 1, Group = 2; // fields of /proc/PID/stat behind the name

    private readonly Func<int, bool> _isOurs;
    private readonly Timer _timer;
    private int _isDue; // a look is under way to the launcher's thread: no second one waits there

    /// <summary>Starts looking.</summary>
    /// <param name="run">Runs a look on the thread that starts workers: none is started meanwhile.</param>
    /// <param name="isOurs">Whether somebody of ours takes the end of a process.</param>
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

    /// <summary>True for a process that gets orphans: process 1, and one that asked for them before it became this program.</summary>
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
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4); // the name may have anything in it
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
