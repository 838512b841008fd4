using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Backends.Isolation;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>A started process: its id, a pidfd that becomes readable when it ends, and the reading ends of its output.</summary>
internal readonly record struct StartedProcess(int ProcessId, int ProcessDescriptor, int Output, int Errors);

/// <summary>
/// Starts worker processes, all from one thread that lives as long as the node: the parent-death signal fires when the thread that
/// forked ends.
/// </summary>
/// <remarks>
/// Safety: posix_spawn's attribute and action blocks are private memory larger than the C library's structures (80 and 336 bytes on 64-bit
/// Linux). Every descriptor is made close-on-exec; the child gets 0, 1 and 2 and closes all from 3 on.
/// </remarks>
internal sealed unsafe class ProcessLauncher : IDisposable
{
    private const int ActionsBytes = 512, AttributesBytes = 1024;
    private const short SetProcessGroup = 0x02, SetDefaultSignals = 0x04, SetSignalMask = 0x08;
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800, SetFlags = 4;
    private const nint PidfdOpen = 434;

    private readonly BlockingCollection<Action> _requests = [];
    private readonly Thread _thread;
    private readonly string? _wrapper = File.Exists("/usr/bin/setpriv") ? "/usr/bin/setpriv" : null;

    public ProcessLauncher()
    {
        _thread = new Thread(Run) { Name = "launcher", IsBackground = true };
        _thread.Start();
    }

    /// <summary>False when the system has no setpriv: workers then only notice the node's end by their socket.</summary>
    public bool HasDeathSignal => _wrapper is not null;

    /// <summary>Starts a process; calls back on the launcher's thread with what was started, or why it was not.</summary>
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
    });

    public void Dispose()
    {
        _requests.CompleteAdding();
        _thread.Join(TimeSpan.FromSeconds(5));
    }

    private void Run()
    {
        foreach (Action request in _requests.GetConsumingEnumerable())
        {
            request();
        }
    }

    private StartedProcess Spawn(WorkerCommand command)
    {
        Confinement confinement = command.Confinement;
        List<string> words = [.. confinement.Before];
        if (_wrapper is not null)
        {
            // Last of what stands before the worker: a change of user afterwards would clear the death signal.
            words.AddRange([_wrapper, .. confinement.Privileges, "--pdeathsig", "KILL", "--"]);
        }

        words.Add(command.Program);
        words.AddRange(command.Arguments);
        int* output = stackalloc int[2];
        int* errors = stackalloc int[2];
        if (LibC.pipe2(output, CloseOnExec) != 0)
        {
            throw LibC.Failure("pipe2");
        }

        if (LibC.pipe2(errors, CloseOnExec) != 0)
        {
            CloseAll(output[0], output[1]);
            throw LibC.Failure("pipe2");
        }

        int process = 0;
        int error = SpawnWith(words, command.Environment, confinement.WorkingFolder, output[1], errors[1], &process);
        CloseAll(output[1], errors[1]);
        if (error != 0)
        {
            CloseAll(output[0], errors[0]);
            throw new IOException($"cannot start {command.Program}: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        int descriptor = (int)LibC.syscall_pidfd_open(PidfdOpen, process, 0);
        if (descriptor < 0)
        {
            IOException failure = LibC.Failure("pidfd_open");
            _ = LibC.kill(process, 9);
            CloseAll(output[0], errors[0]);
            throw failure;
        }

        _ = LibC.fcntl(output[0], SetFlags, NonBlocking);
        _ = LibC.fcntl(errors[0], SetFlags, NonBlocking);
        return new StartedProcess(process, descriptor, output[0], errors[0]);
    }

    private static int SpawnWith(
        List<string> words, IReadOnlyDictionary<string, string> environment, string? folder, int output, int errors, int* process)
    {
        byte* actions = stackalloc byte[ActionsBytes];
        byte* attributes = stackalloc byte[AttributesBytes];
        ulong* none = stackalloc ulong[16];   // sigset_t, 128 bytes
        ulong* all = stackalloc ulong[16];
        new Span<ulong>(none, 16).Clear();
        new Span<ulong>(all, 16).Clear();
        all[0] = ulong.MaxValue;
        _ = LibC.posix_spawn_file_actions_init(actions);
        _ = LibC.posix_spawnattr_init(attributes);
        byte** arguments = Strings(words);
        byte** variables = Strings(environment.Select(pair => $"{pair.Key}={pair.Value}").ToList());
        try
        {
            fixed (byte* nothing = "/dev/null\0"u8)
            fixed (byte* start = Encoding.UTF8.GetBytes((folder ?? "") + '\0'))
            {
                _ = LibC.posix_spawn_file_actions_addopen(actions, 0, nothing, 0, 0);
                _ = LibC.posix_spawn_file_actions_adddup2(actions, output, 1);
                _ = LibC.posix_spawn_file_actions_adddup2(actions, errors, 2);
                _ = LibC.posix_spawn_file_actions_addclosefrom_np(actions, 3);
                if (folder is not null)
                {
                    _ = LibC.posix_spawn_file_actions_addchdir_np(actions, start);
                }

                // The runtime ignores SIGPIPE, and what is ignored stays so over exec: give the worker the defaults.
                _ = LibC.posix_spawnattr_setflags(attributes, SetProcessGroup | SetDefaultSignals | SetSignalMask);
                _ = LibC.posix_spawnattr_setpgroup(attributes, 0);
                _ = LibC.posix_spawnattr_setsigmask(attributes, none);
                _ = LibC.posix_spawnattr_setsigdefault(attributes, all);
                return LibC.posix_spawn(process, arguments[0], actions, attributes, arguments, variables);
            }
        }
        finally
        {
            Free(arguments, words.Count);
            Free(variables, environment.Count);
            _ = LibC.posix_spawn_file_actions_destroy(actions);
            _ = LibC.posix_spawnattr_destroy(attributes);
        }
    }

    private static byte** Strings(List<string> texts)
    {
        byte** pointers = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            int length = Encoding.UTF8.GetByteCount(texts[i]);
            pointers[i] = (byte*)NativeMemory.AllocZeroed((nuint)(length + 1));
            Encoding.UTF8.GetBytes(texts[i], new Span<byte>(pointers[i], length));
        }

        return pointers;
    }

    private static void Free(byte** pointers, int count)
    {
        for (int i = 0; i < count; i++)
        {
            NativeMemory.Free(pointers[i]);
        }

        NativeMemory.Free(pointers);
    }

    private static void CloseAll(int first, int second)
    {
        _ = LibC.close(first);
        _ = LibC.close(second);
    }
}
