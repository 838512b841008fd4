using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// A process of the node that outlives the node by a moment. The sentinel is a shell. It reads from a pipe which process groups there are,
/// and sends them SIGKILL when the pipe ends because the node was killed. Without the sentinel the children of a worker would live on,
/// because the parent-death signal reaches only the worker itself.
/// </summary>
/// <remarks>
/// When the node is killed between the start of a worker and the line about it, the worker has not loaded its app yet and so has no
/// children; the worker ends by its own death signal, or by its socket. Safety: owns the pipe's writing end. The lock guards all fields:
/// lines come from the launcher's thread and from event loops, a few for each worker's life.
/// </remarks>
internal sealed unsafe class GroupSentinel : IDisposable
{
    /// <summary>The sentinel's name among the arguments of its command line. People and tests recognize the process by it.</summary>
    public const string Name = "cocaine-sentinel";

    private const string Shell = "/bin/sh";
    private const int SetFlags = 4;

    /// <summary>How long the node waits for the sentinel's end when the node ends. The sentinel has no more work then.</summary>
    private const int EndWaitMs = 1000;

    /// <summary>
    /// <c>+ GROUP</c> and <c>- GROUP</c> report the groups; <c>stopped</c> says that the end of the pipe is no accident. After an accident
    /// the script also removes the files of the dead process's .NET runtime from the folder for temporary files.
    /// </summary>
    private const string Script = """
        trap '' HUP INT TERM
        groups=' ' stopped=
        while read -r word group; do
            case $word in
                +) groups="$groups$group " ;;
                -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
                stopped) stopped=1 ;;
            esac
        done
        for group in $groups; do
            kill -s KILL -- "-$group"
        done
        [ -n "$stopped" ] || rm -f -- "$TMPDIR/dotnet-diagnostic-$1-"*-socket "$TMPDIR/clr-debug-pipe-$1-"*
        """;

    private readonly Lock _lock = new();
    private readonly HashSet<int> _groups = [];
    private int _process;       // 0 = no sentinel runs
    private int _pipe = -1;     // valid while a sentinel runs
    private bool _disposed;

    /// <summary>False on a system without a shell: nobody ends the children of workers when the node is killed.</summary>
    public static bool IsPossible => File.Exists(Shell);

    /// <summary>
    /// Starts the sentinel when none runs. A sentinel that cannot be started is no failure of a worker: the next call tries again.
    /// </summary>
    public void Ensure()
    {
        lock (_lock)
        {
            if (_process == 0 && !_disposed)
            {
                Start();
            }
        }
    }

    /// <summary>Tells the sentinel about one more group.</summary>
    public void Add(int group)
    {
        lock (_lock)
        {
            if (_groups.Add(group) && _process != 0)
            {
                Tell($"+ {Text(group)}\n");
            }
        }
    }

    /// <summary>Tells the sentinel that a group has ended. Call it before the group's number can be used again.</summary>
    public void Remove(int group)
    {
        lock (_lock)
        {
            if (_groups.Remove(group) && _process != 0)
            {
                Tell($"- {Text(group)}\n");
            }
        }
    }

    /// <summary>Ends the sentinel. The sentinel ends groups that are still there.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_disposed && _process != 0)
            {
                _disposed = true;
                Tell("stopped\n");
                End(kill: false);
            }

            _disposed = true;
        }
    }

    private void Start()
    {
        int* pipe = stackalloc int[2];
        if (!IsPossible || LibC.pipe2(pipe, LibC.O_CLOEXEC) != 0)
        {
            return;
        }

        Dictionary<string, string> environment = new()
        {
            ["PATH"] = Languages.CommandLine.SearchPath,
            ["SCRIPT"] = Script, // in the environment, where lists of processes do not show it
            ["TMPDIR"] = Path.TrimEndingDirectorySeparator(Path.GetTempPath()),
        };
        int process = PosixSpawn.Start(
            new SpawnRequest([Shell, "-c", "eval \"$SCRIPT\"", Name, Text(Environment.ProcessId)], environment, "/")
            {
                Input = pipe[0],
                OwnSession = true,
            });
        _ = LibC.close(pipe[0]);
        if (process < 0)
        {
            _ = LibC.close(pipe[1]);
            return;
        }

        _ = LibC.fcntl(pipe[1], SetFlags, LibC.O_NONBLOCK); // event loops write to the pipe, and must not wait for the sentinel
        (_process, _pipe) = (process, pipe[1]);
        if (_groups.Count > 0 && !TryTell(string.Concat(_groups.Select(group => $"+ {Text(group)}\n"))))
        {
            End(kill: true);
        }
    }

    /// <summary>
    /// Sends lines to the sentinel. When the sentinel does not read because somebody stopped or killed it, another one takes its place.
    /// </summary>
    private void Tell(string lines)
    {
        if (!TryTell(lines))
        {
            End(kill: true);
            if (!_disposed)
            {
                Start(); // the new sentinel is told all groups, so this line's group too
            }
        }
    }

    private bool TryTell(string lines)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(lines);
        fixed (byte* start = bytes)
        {
            nint written;
            do
            {
                written = LibC.write(_pipe, start, bytes.Length);
            }
            while (written < 0 && Marshal.GetLastPInvokeError() == LibC.EINTR);
            return written == bytes.Length;
        }
    }

    private void End(bool kill)
    {
        if (_process == 0)
        {
            return;
        }

        if (kill)
        {
            _ = LibC.kill(_process, LibC.SIGKILL);
        }

        _ = LibC.close(_pipe);
        ChildEnd.Wait(_process, EndWaitMs);
        (_process, _pipe) = (0, -1);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
