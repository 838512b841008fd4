namespace Cocaine.Fast.Transport.Limits;

/// <summary>
/// Divides the process's descriptors and threads among the node itself, its clients and its slaves. A slave is launched only when the node
/// keeps enough to serve clients, to take commands and to stop: a runtime that cannot open a file or start a thread ends the process.
/// </summary>
/// <remarks>
/// One for the whole process; all loops use it. The room of a slave counts as taken from the launch until the slave has opened its
/// descriptors.
/// </remarks>
internal static class NodeRoom
{
    /// <summary>
    /// Descriptors of one slave of the node: pidfd, two outputs, the socket, two bells, and for a moment the segment or the listener.
    /// </summary>
    public const int DescriptorsOfSlave = 7;

    /// <summary>
    /// Threads that the node keeps for itself: the pool of the runtime grows by some threads at a stop, a reload, or a burst of commands.
    /// </summary>
    public const int OwnThreads = 6;

    /// <summary>The least that every part has when the limit is small: some files, commands and connections.</summary>
    private const int LeastPart = 8;

    /// <summary>The most that is kept for the node itself, and for clients: beyond this, slaves need not leave room.</summary>
    private const int MostForNode = 64, MostForClients = 256;

    private static readonly Lock Gate = new();
    private static int _base = -1;      // descriptors of the node without slaves and clients; -1 until they were counted
    private static int _starting;       // slaves that were launched and have not opened all their descriptors yet
    private static int _startingTasks;  // processes and threads that these slaves will need

    /// <summary>The node is up and has no slave yet: the descriptors that are open now are its own.</summary>
    public static void SetBase()
    {
        lock (Gate)
        {
            _base = ProcessLimits.DescriptorsUsed();
        }
    }

    /// <summary>Descriptors of a limit that only the node itself may take.</summary>
    public static int KeptForNode(int limit) => Math.Clamp(Spread(limit) / 3, LeastPart, MostForNode);

    /// <summary>The number of slaves that there is room for, and the reason when there is not room for all.</summary>
    /// <param name="wanted">The number of wanted slaves, 1 or more.</param>
    /// <param name="tasks">Processes and threads that one slave needs.</param>
    /// <param name="isFirst">The app has no slave yet: it may take the room that is kept for clients.</param>
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

    /// <summary>A slave is launched. <see cref="Settle"/> undoes this, once.</summary>
    public static void Launch(int tasks)
    {
        lock (Gate)
        {
            _starting++;
            _startingTasks += tasks;
        }
    }

    /// <summary>A slave has opened all that it needs, or has ended.</summary>
    public static void Settle(int tasks)
    {
        lock (Gate)
        {
            ProcessLimits.Recount(); // the slave's processes count by themselves from now on
            _starting--;
            _startingTasks -= tasks;
        }
    }

    private static int Spread(int limit) => limit == int.MaxValue ? int.MaxValue : Math.Max(0, limit - Math.Max(0, _base));
}
