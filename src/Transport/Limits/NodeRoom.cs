namespace Cocaine.Fast.Transport.Limits;

/// <summary>
/// Shares what the process may use among the node itself, its clients and its slaves. A slave is made only when the node keeps enough to
/// serve clients, to be asked and to stop: a runtime that cannot open a file or start a thread ends the process.
/// </summary>
/// <remarks>
/// One for the process; used by all loops. The room of a slave counts as taken from the launch until the slave has opened its descriptors.
/// </remarks>
internal static class NodeRoom
{
    /// <summary>
    /// Descriptors of one slave of the node: pidfd, two outputs, the socket, two bells, and for a moment the segment or the listener.
    /// </summary>
    public const int DescriptorsOfSlave = 7;

    /// <summary>
    /// Threads that the node keeps for itself: the pool of the runtime grows by some at a stop, a reload, a burst of commands.
    /// </summary>
    public const int OwnThreads = 6;

    /// <summary>Of small limits every part has at least this: some files, commands and connections.</summary>
    private const int LeastPart = 8;

    /// <summary>The node never needs more for itself; clients are not held back by slaves beyond this.</summary>
    private const int MostForNode = 64, MostForClients = 256;

    private static readonly Lock Gate = new();
    private static int _base = -1;      // descriptors of the node without slaves and clients; -1 until it is known
    private static int _starting;       // slaves that were launched and have not opened everything yet
    private static int _startingTasks;  // processes and threads that those will need

    /// <summary>The node is up and has no slave yet: what is open now is its own.</summary>
    public static void SetBase()
    {
        lock (Gate)
        {
            _base = ProcessLimits.DescriptorsUsed();
        }
    }

    /// <summary>Descriptors that nobody but the node itself may take, of a limit.</summary>
    public static int KeptForNode(int limit) => Math.Clamp(Spread(limit) / 3, LeastPart, MostForNode);

    /// <summary>How many of so many slaves there is room for, and when not for all, why.</summary>
    /// <param name="wanted">1 or more.</param>
    /// <param name="tasks">Processes and threads that one needs.</param>
    /// <param name="isFirst">An app has none yet: it may take what is kept for clients.</param>
    public static (int Room, string Reason) For(int wanted, int tasks, bool isFirst)
    {
        lock (Gate)
        {
            int limit = ProcessLimits.Descriptors;
            int kept = KeptForNode(limit) + (isFirst ? 0 : Math.Clamp(Spread(limit) / 4, LeastPart, MostForClients));
            int used = ProcessLimits.DescriptorsUsed() + (_starting * DescriptorsOfSlave);
            long byFiles = limit == int.MaxValue ? int.MaxValue : Math.Max(0, ((long)limit - used - kept) / DescriptorsOfSlave);
            (int left, string bound) = ProcessLimits.ProcessesLeft();
            long byTasks = left == int.MaxValue ? int.MaxValue : Math.Max(0, (left - _startingTasks - OwnThreads) / tasks);
            int room = (int)Math.Min(wanted, Math.Min(byFiles, byTasks));
            string reason = room == wanted ? ""
                : byFiles <= byTasks
                    ? FormattableString.Invariant($"{used} of {limit} descriptors are in use, and {kept} are kept for the node and its ")
                        + "clients; raise the limit of open files (ulimit -n, LimitNOFILE)"
                    : FormattableString.Invariant($"{left} more processes or threads are allowed, and the node keeps {OwnThreads}; ")
                        + $"raise the {bound}";
            return (room, reason);
        }
    }

    /// <summary>A slave is launched. Undone by <see cref="Settle"/>, once.</summary>
    public static void Launch(int tasks)
    {
        lock (Gate)
        {
            _starting++;
            _startingTasks += tasks;
        }
    }

    /// <summary>A slave has opened what it needs, or has ended.</summary>
    public static void Settle(int tasks)
    {
        lock (Gate)
        {
            ProcessLimits.Recount(); // what was started counts by itself from now on
            _starting--;
            _startingTasks -= tasks;
        }
    }

    private static int Spread(int limit) => limit == int.MaxValue ? int.MaxValue : Math.Max(0, limit - Math.Max(0, _base));
}
