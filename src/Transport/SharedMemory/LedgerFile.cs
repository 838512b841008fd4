using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.SharedMemory;

/// <summary>
/// The file of an app's ledger, mapped: by the node that writes it, which holds its lock, or by anybody who reads it. It outlives the
/// node, also a killed one; it is meant for a folder in memory, where no write-back holds up whoever stores into it.
/// </summary>
/// <remarks>
/// Safety: the mapping covers the file, whose size was checked against the header; a node allocates every page before it maps (a lack
/// of room is an error at the start, not a SIGBUS in the middle of a job), and no file is ever made shorter: a node that cannot use
/// one renames it. The mapping lives until <see cref="Dispose"/>; whoever disposes has stopped its ring and readers.
/// </remarks>
internal sealed unsafe class LedgerFile : IDisposable
{
    private const int ReadOnly = 1, ReadWrite = 3, Shared = 1, Populate = 0x8000;

    private readonly SafeFileHandle _file;
    private readonly byte* _start;
    private readonly long _sizeBytes;
    private readonly bool _isNode;
    private bool _disposed;

    private LedgerFile(SafeFileHandle file, byte* start, long sizeBytes, LedgerHeader header, bool isNode)
    {
        _file = file;
        _start = start;
        _sizeBytes = sizeBytes;
        _isNode = isNode;
        Header = header;
    }

    public LedgerHeader Header { get; private set; }

    /// <summary>True when a node has it open.</summary>
    public bool IsHeld => FileLock.IsTaken(_file);

    /// <summary>
    /// Opens the ledger of an app for a node, or makes it. What is in it stays; a file that is none, or of another layout, app or size, is
    /// set aside beside it, and <paramref name="setAside"/> says why.
    /// </summary>
    /// <exception cref="IOException">Another node has it, or it cannot be made.</exception>
    public static LedgerFile OpenForNode(string path, string app, int records, out string? setAside)
    {
        setAside = null;
        SafeFileHandle file = OpenLocked(path);
        try
        {
            long found = RandomAccess.GetLength(file);
            ulong lastId = 0;
            if (found > 0 && Problem(file, found, app, records, ref lastId) is { } problem)
            {
                setAside = problem;
                File.Move(path, path + ".aside", overwrite: true); // one is kept: the latest
                file.Dispose();
                file = OpenLocked(path);
                found = RandomAccess.GetLength(file);
                if (found > 0)
                {
                    throw new IOException($"{path} is being made by another node");
                }
            }

            return found > 0 ? Continue(file, found) : Make(file, app, records, lastId);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Maps a ledger to read it.</summary>
    /// <exception cref="InvalidDataException">It is no ledger of this layout.</exception>
    public static LedgerFile OpenForReading(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            long size = RandomAccess.GetLength(file);
            LedgerHeader header = ReadHeader(file, size, out string problem) ?? throw new InvalidDataException($"{path}: {problem}");
            return new LedgerFile(file, Map(file, size, ReadOnly, Shared), size, header, isNode: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The ring that a node writes.</summary>
    public LedgerRing Ring(TimeProvider clock) => new(_start, Header.Records, Header.FirstId - 1, clock);

    public LedgerReader Reader() => new(_start, Header);

    /// <summary>A node's end is noted in the header, so that what it left open is not taken for killed with it.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_isNode)
        {
            Volatile.Write(ref *(long*)(_start + LedgerLayout.StoppedOffset), WallNs());
        }

        _ = LibC.munmap(_start, (nint)_sizeBytes);
        _file.Dispose(); // and the lock
    }

    private static SafeFileHandle OpenLocked(string path)
    {
        SafeFileHandle file = File.OpenHandle(
            path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (FileLock.TryTake(file))
        {
            return file;
        }

        file.Dispose();
        throw new IOException($"{path} is another node's");
    }

    /// <summary>Why the file cannot go on; null when it can. Its last id is taken from it where it has one.</summary>
    private static string? Problem(SafeFileHandle file, long size, string app, int records, ref ulong lastId)
    {
        if (ReadHeader(file, size, out string problem) is not { } header)
        {
            return problem;
        }

        if (header.App != app)
        {
            return $"it is of the app {header.App}";
        }

        if (header.Records == records)
        {
            return null;
        }

        lastId = LastIdOf(file, size, header);
        return $"it has {header.Records} records, and {records} are asked for";
    }

    private static ulong LastIdOf(SafeFileHandle file, long size, LedgerHeader header)
    {
        byte* start = Map(file, size, ReadOnly, Shared);
        ulong last = new LedgerReader(start, header).LastId();
        _ = LibC.munmap(start, (nint)size);
        return last;
    }

    private static LedgerFile Continue(SafeFileHandle file, long size)
    {
        LedgerHeader old = ReadHeader(file, size, out _)!;
        return Begin(file, size, old.App, old.Records, LastIdOf(file, size, old));
    }

    private static LedgerFile Make(SafeFileHandle file, string app, int records, ulong lastId)
    {
        long size = LedgerLayout.FileSizeBytes(records);
        int error = LibC.posix_fallocate((int)file.DangerousGetHandle(), 0, size);
        return error == 0 ? Begin(file, size, app, records, lastId)
            : throw new IOException($"{size} bytes for the ledger: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static LedgerFile Begin(SafeFileHandle file, long size, string app, int records, ulong lastId)
    {
        LedgerHeader header = new(
            app, records, Environment.ProcessId, WallNs(), TimeProvider.System.GetTimestamp(), lastId + 1, StoppedNs: 0);
        byte* start = Map(file, size, ReadWrite, Shared | Populate); // the path meets no page for the first time
        header.Write(new Span<byte>(start, LedgerLayout.HeaderSizeBytes));
        return new LedgerFile(file, start, size, header, isNode: true);
    }

    private static LedgerHeader? ReadHeader(SafeFileHandle file, long size, out string problem)
    {
        byte[] page = new byte[LedgerLayout.HeaderSizeBytes];
        int count = RandomAccess.Read(file, page, 0);
        return LedgerHeader.Read(page.AsSpan(0, count), size, out problem);
    }

    private static byte* Map(SafeFileHandle file, long size, int protection, int flags)
    {
        void* start = LibC.mmap(null, (nint)size, protection, flags, (int)file.DangerousGetHandle(), 0);
        return (nint)start == -1 ? throw LibC.Failure($"mmap of {size} bytes") : (byte*)start;
    }

    private static long WallNs() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * 100;
}
