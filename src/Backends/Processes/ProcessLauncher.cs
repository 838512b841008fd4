using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Cocaine.Fast.Backends.Isolation;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>A started process: its id, a pidfd that becomes readable when the process ends, and the reading ends of its output.</summary>
internal readonly record struct StartedProcess(int ProcessId, int ProcessDescriptor, int Output, int Errors);

/// <summary>
/// Starts worker processes, all from one thread that lives as long as the node, because the parent-death signal fires when the forking
/// thread ends. Ends workers with everything that they started, also when the node itself is killed.
/// </summary>
/// <remarks>
/// Safety: passes descriptors to the caller with the process that they belong to; closes them itself when there is no process.
/// </remarks>
internal sealed unsafe class ProcessLauncher : IDisposable
{
    private const int SetFlags = 4;
    private const nint PidfdOpen = 434, PidfdSendSignal = 424;

    /// <summary>How long the launcher waits for the end of a process that was killed right after its start.</summary>
    private const int KilledWaitMs = 5000;

    private readonly BlockingCollection<Action> _requests = [];
    private readonly ConcurrentDictionary<int, bool> _started = []; // each process until its end was taken
    private readonly GroupSentinel _sentinel = new();
    private readonly OrphanReaper? _reaper;
    private readonly Thread _thread;
    private readonly string? _wrapper = File.Exists("/usr/bin/setpriv") ? "/usr/bin/setpriv" : null;

    /// <summary>Makes a launcher.</summary>
    /// <param name="reapsOrphans">
    /// Takes the ends of orphans that the kernel gives to this process; only the program cocaine-fast may ask for it.
    /// </param>
    /// <exception cref="IOException">The kernel cannot report the end of a process; the text says what the node needs.</exception>
    public ProcessLauncher(bool reapsOrphans = false)
    {
        int self = OpenProcess(Environment.ProcessId);
        if (self < 0)
        {
            throw NoPidfd();
        }

        _ = LibC.close(self);
        _thread = new Thread(Run) { Name = "launcher", IsBackground = true };
        _thread.Start();
        if (reapsOrphans && OrphanReaper.IsNeeded)
        {
            _reaper = new OrphanReaper(Post, _started.ContainsKey);
        }
    }

    /// <summary>The missing means to end the processes of a killed node, with the remedy; null when none is missing.</summary>
    public string? Lack => _wrapper is null
        ? "setpriv (util-linux) is not on this machine: workers notice the node's end by their socket only"
        : GroupSentinel.IsPossible ? null : "/bin/sh is not on this machine: when the node is killed, what workers started lives on";

    /// <summary>
    /// Starts a process; calls back on the launcher's thread with the started process, or with the reason for the failure.
    /// </summary>
    public void Start(WorkerCommand command, Action<StartedProcess> started, Action<string> failed) => _requests.Add(() =>
    {
        StartedProcess process;
        try
        {
            process = Spawn(command);
        }
        catch (IOException failure)
        {
            failed(failure.Message);
            return;
        }

        started(process);
        _sentinel.Ensure(); // after the worker's start, so that the worker need not wait for it
    });

    /// <summary>
    /// Ends a process and its group: everything that the process started goes with it. The process itself ends also when it has left its
    /// group.
    /// </summary>
    public static void Kill(in StartedProcess process)
    {
        _ = LibC.kill(-process.ProcessId, LibC.SIGKILL);
        _ = LibC.syscall_six(PidfdSendSignal, process.ProcessDescriptor, LibC.SIGKILL, 0, 0, 0, 0);
    }

    /// <summary>
    /// Takes the end of a process whose pidfd is readable, ends the processes that it left behind, and closes the pidfd. Null when a signal
    /// interrupted the call: ask again.
    /// </summary>
    public ProcessEnd? TakeEnd(in StartedProcess process)
    {
        // Nobody else would end the processes that it left behind. Both calls come before its number can be used again.
        _ = LibC.kill(-process.ProcessId, LibC.SIGKILL);
        _sentinel.Remove(process.ProcessId);
        if (ChildEnd.Take(process.ProcessDescriptor) is not { } end)
        {
            return null;
        }

        _started.TryRemove(process.ProcessId, out _);
        _ = LibC.close(process.ProcessDescriptor);
        return end;
    }

    public void Dispose()
    {
        _reaper?.Dispose();
        _requests.CompleteAdding();
        _thread.Join(TimeSpan.FromSeconds(5));
        _sentinel.Dispose();
    }

    private void Run()
    {
        foreach (Action request in _requests.GetConsumingEnumerable())
        {
            request();
        }
    }

    private void Post(Action request)
    {
        try
        {
            _requests.Add(request);
        }
        catch (InvalidOperationException)
        {
            // the launcher has ended
        }
    }

    private StartedProcess Spawn(WorkerCommand command)
    {
        Confinement confinement = command.Confinement;
        List<string> words = [.. confinement.Before];
        if (_wrapper is not null)
        {
            // The last words before the worker: a later change of user would clear the death signal.
            words.AddRange([_wrapper, .. confinement.Privileges, "--pdeathsig", "KILL", "--"]);
        }

        words.Add(command.Program);
        words.AddRange(command.Arguments);
        int* output = stackalloc int[2];
        int* errors = stackalloc int[2];
        if (LibC.pipe2(output, LibC.O_CLOEXEC) != 0)
        {
            throw LibC.Failure("pipe2");
        }

        if (LibC.pipe2(errors, LibC.O_CLOEXEC) != 0)
        {
            IOException failure = LibC.Failure("pipe2");
            CloseAll(output[0], output[1]);
            throw failure;
        }

        Dictionary<string, string> environment = new(command.Environment);
        if (command.BeginPage >= 0)
        {
            environment[EnvironmentNames.BeginPage] = SpawnRequest.MoreNumber;
        }

        int process = PosixSpawn.Start(new SpawnRequest(words, environment, confinement.WorkingFolder)
        {
            Output = output[1],
            Errors = errors[1],
            More = command.BeginPage,
        });
        CloseAll(output[1], errors[1]);
        int descriptor = process > 0 ? OpenProcess(process) : -1;
        if (descriptor < 0)
        {
            IOException failure = process > 0 ? NoPidfd()
                : new IOException($"cannot start {command.Program}: {Marshal.GetPInvokeErrorMessage(-process)}");
            CloseAll(output[0], errors[0]);
            if (process > 0)
            {
                _ = LibC.kill(process, LibC.SIGKILL);
                ChildEnd.Wait(process, KilledWaitMs); // otherwise the process stays a zombie
            }

            throw failure;
        }

        _started[process] = true;
        _sentinel.Add(process);
        _ = LibC.fcntl(output[0], SetFlags, LibC.O_NONBLOCK);
        _ = LibC.fcntl(errors[0], SetFlags, LibC.O_NONBLOCK);
        return new StartedProcess(process, descriptor, output[0], errors[0]);
    }

    private static int OpenProcess(int process) => (int)LibC.syscall_pidfd_open(PidfdOpen, process, 0);

    private static IOException NoPidfd()
    {
        IOException failure = LibC.Failure("pidfd_open");
        return Marshal.GetLastPInvokeError() is LibC.ENOSYS or LibC.EPERM
            ? new IOException($"worker processes need Linux 5.4 or later, and a sandbox that allows its system calls: {failure.Message}")
            : failure;
    }

    private static void CloseAll(int first, int second)
    {
        _ = LibC.close(first);
        _ = LibC.close(second);
    }
}
