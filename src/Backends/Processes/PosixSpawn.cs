using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>The arguments, descriptors and attributes of a process to start.</summary>
/// <param name="Words">The program's absolute path, and its arguments.</param>
/// <param name="Environment">The whole environment.</param>
/// <param name="Folder">The folder that the process starts in; null = this process's folder.</param>
internal sealed record SpawnRequest(
    IReadOnlyList<string> Words, IReadOnlyDictionary<string, string> Environment, string? Folder)
{
    /// <summary>Descriptors that become 0, 1 and 2; -1 = /dev/null.</summary>
    public int Input { get; init; } = -1;

    /// <inheritdoc cref="Input"/>
    public int Output { get; init; } = -1;

    /// <inheritdoc cref="Input"/>
    public int Errors { get; init; } = -1;

    /// <summary>The number that <see cref="More"/> gets in the process.</summary>
    public const string MoreNumber = "3";

    /// <summary>A fourth descriptor for the process; -1 = none.</summary>
    public int More { get; init; } = -1;

    /// <summary>The process leads a session of its own, which no terminal's signals reach; otherwise a process group of its own.</summary>
    public bool OwnSession { get; init; }
}

/// <summary>Starts processes that inherit nothing from this process: what it is given, default signals, a new environment.</summary>
/// <remarks>
/// Safety: posix_spawn's attribute and action blocks are private memory larger than the C library's structures (80 and 336 bytes on 64-bit
/// Linux). Every descriptor of this process is close-on-exec; the child gets 0, 1, 2 and at most one more, and closes all others.
/// </remarks>
internal static unsafe class PosixSpawn
{
    private const int ActionsBytes = 512, AttributesBytes = 1024;
    private const short SetProcessGroup = 0x02, SetDefaultSignals = 0x04, SetSignalMask = 0x08, SetSession = 0x80;
    private const int ReadWrite = 2, FirstMore = 3;

    /// <summary>Starts a process; returns its id, or the negative error.</summary>
    public static int Start(SpawnRequest request)
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
        byte** arguments = Strings(request.Words);
        byte** variables = Strings([.. request.Environment.Select(pair => $"{pair.Key}={pair.Value}")]);
        try
        {
            fixed (byte* nothing = "/dev/null\0"u8)
            fixed (byte* start = Encoding.UTF8.GetBytes((request.Folder ?? "") + '\0'))
            {
                Give(actions, request.Input, 0, nothing);
                Give(actions, request.Output, 1, nothing);
                Give(actions, request.Errors, 2, nothing);
                if (request.More >= 0)
                {
                    _ = LibC.posix_spawn_file_actions_adddup2(actions, request.More, FirstMore); // also when it has that number here
                }

                _ = LibC.posix_spawn_file_actions_addclosefrom_np(actions, request.More >= 0 ? FirstMore + 1 : FirstMore);
                if (request.Folder is not null)
                {
                    _ = LibC.posix_spawn_file_actions_addchdir_np(actions, start);
                }

                // The runtime ignores SIGPIPE, and an ignored signal stays ignored over exec: give the child the defaults.
                short group = request.OwnSession ? SetSession : SetProcessGroup;
                _ = LibC.posix_spawnattr_setflags(attributes, (short)(group | SetDefaultSignals | SetSignalMask));
                _ = LibC.posix_spawnattr_setpgroup(attributes, 0);
                _ = LibC.posix_spawnattr_setsigmask(attributes, none);
                _ = LibC.posix_spawnattr_setsigdefault(attributes, all);
                int process = 0;
                int error = LibC.posix_spawn(&process, arguments[0], actions, attributes, arguments, variables);
                return error == 0 ? process : -error;
            }
        }
        finally
        {
            Free(arguments, request.Words.Count);
            Free(variables, request.Environment.Count);
            _ = LibC.posix_spawn_file_actions_destroy(actions);
            _ = LibC.posix_spawnattr_destroy(attributes);
        }
    }

    private static void Give(byte* actions, int descriptor, int number, byte* nothing)
    {
        if (descriptor < 0)
        {
            _ = LibC.posix_spawn_file_actions_addopen(actions, number, nothing, ReadWrite, 0);
        }
        else
        {
            _ = LibC.posix_spawn_file_actions_adddup2(actions, descriptor, number);
        }
    }

    private static byte** Strings(IReadOnlyList<string> texts)
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
}
