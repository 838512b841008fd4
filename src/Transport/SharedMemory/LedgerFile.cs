using System.Text;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.SharedMemory;

/// <summary>
/// The mapped file of an app's ledger. A node maps it to write, and holds its lock; others map it to read. The file outlives the node, also
/// a killed one. It should be in a folder in memory, where no write-back delays a store into it.
/// </summary>
/// <remarks>
/// Safety: the mapping covers the file, whose size was checked against the header. A node allocates every page before it maps (a lack of
/// room is an error at the start, not a SIGBUS in the middle of a job), and no file is ever made shorter: a node that cannot use a file
/// renames it. The mapping lives until <see cref="Dispose"/>; the caller of Dispose has stopped its ring and readers.
/// </remarks>
internal sealed unsafe class LedgerFile : IDisposable
{
    /// <summary>The ending of the name of a ledger that was set aside.</summary>
    public const string AsideSuffix = ".aside";

    /// <summary>
    /// The most looks at a lock that another process has, and the time between them: a process that removes a ledger holds the lock for a
    /// moment, a node as long as it runs.
    /// </summary>
    private const int MaxLooks = 10, LookMs = 5;

    private const int ReadOnly = 1, ReadWrite = 3, Shared = 1, Populate = 0x8000;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly byte* _start;
    private readonly long _sizeBytes;
    private readonly bool _isNode;
    private bool _disposed;

    private LedgerFile(string path, SafeFileHandle file, byte* start, long sizeBytes, LedgerHeader header, bool isNode)
    {
        _path = path;
        _file = file;
        _start = start;
        _sizeBytes = sizeBytes;
        _isNode = isNode;
        Header = header;
    }

    public LedgerHeader Header { get; private set; }

    public long SizeBytes => _sizeBytes;

    /// <summary>A node has the file open.</summary>
    public bool IsHeld => FileLock.IsTaken(_file);

    /// <summary>
    /// Opens the ledger of an app for a node, or makes it. Existing records stay. A file that is no ledger, or has another layout, app or
    /// size, is set aside beside the new one, and <paramref name="setAside"/> says why.
    /// </summary>
    /// <exception cref="IOException">Another node has the file, or it cannot be made.</exception>
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
                File.Move(path, path + AsideSuffix, overwrite: true); // only the latest one is kept
                file.Dispose();
                file = OpenLocked(path);
                found = RandomAccess.GetLength(file);
                if (found > 0)
                {
                    throw new IOException($"{path} is being made by another node");
                }
            }

            return found > 0 ? Continue(path, file, found) : Make(path, file, app, records, lastId);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Maps a ledger for reading.</summary>
    /// <exception cref="InvalidDataException">The file is no ledger of this layout.</exception>
    public static LedgerFile OpenForReading(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            long size = RandomAccess.GetLength(file);
            LedgerHeader header = ReadHeader(file, size, out string problem) ?? throw new InvalidDataException($"{path}: {problem}");
            return new LedgerFile(path, file, Map(file, size, ReadOnly, Shared), size, header, isNode: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Removes a ledger that no node has open; false when a node has it open, or it is gone.</summary>
    /// <exception cref="IOException">The file cannot be removed.</exception>
    public static bool TryRemove(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(
                path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (!FileLock.TryTake(file) || !IsAt(file, path))
            {
                return false;
            }

            File.Delete(path); // under the lock: a node that opens the file now looks again, and makes a new one
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>The app was deleted: its records are kept only for a while.</summary>
    public void MarkDeleted() => Volatile.Write(ref *(long*)(_start + LedgerLayout.DeletedOffset), 1); // the other half is the lock

    /// <summary>Removes a node's own file, if it is still at its path; the mapping stays until <see cref="Dispose"/>.</summary>
    public void Remove()
    {
        if (_isNode && IsAt(_file, _path))
        {
            File.Delete(_path);
        }
    }

    /// <summary>The last time at which the file's node was active, ns since 1970: its stop or, when it was killed, its last job.</summary>
    public long LastUsedNs()
    {
        if (Header.StoppedNs > 0)
        {
            return Header.StoppedNs;
        }

        LedgerReader reader = Reader();
        long arrived = reader.Find(reader.LastId()) is { } last ? NsOf(last.Arrived) : 0;
        return Math.Max(Header.WallNs, arrived);
    }

    /// <summary>The ring that a node writes into.</summary>
    public LedgerRing Ring(TimeProvider clock) => new(_start, Header.Records, Header.FirstId - 1, clock);

    /// <summary>A further ring, for another loop of the app; its numbers are above the last one, and no other loop has them.</summary>
    public LedgerRing Ring(TimeProvider clock, ulong lastId) => new(_start, Header.Records, Math.Max(Header.FirstId - 1, lastId), clock);

    public LedgerReader Reader() => new(_start, Header);

    /// <summary>Notes the node's end in the header, so that readers do not take its open jobs for killed.</summary>
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
        for (int look = 0; look < MaxLooks; look++)
        {
            SafeFileHandle file = File.OpenHandle(
                path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            bool isTaken = FileLock.TryTake(file);
            if (isTaken && IsAt(file, path))
            {
                return file;
            }

            file.Dispose(); // the file was removed between the opening and the lock, or it is locked
            if (!isTaken)
            {
                Thread.Sleep(LookMs);
            }
        }

        throw new IOException($"{path} is another node's");
    }

    /// <summary>The path still names the open file.</summary>
    private static bool IsAt(SafeFileHandle file, string path)
    {
        bool isThere = FileStatus.TryRead(Encoding.UTF8.GetBytes(path + '\0'), follow: true, out FileStatus there);
        byte[] own = Encoding.UTF8.GetBytes($"/proc/self/fd/{file.DangerousGetHandle()}\0");
        return isThere && FileStatus.TryRead(own, follow: true, out FileStatus opened) && there.Identity == opened.Identity;
    }

    /// <summary>
    /// Why the file cannot be used further; null when it can. The method also takes the last id from the file, if there is one.
    /// </summary>
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
        try
        {
            return new LedgerReader(start, header).LastId();
        }
        finally
        {
            _ = LibC.munmap(start, (nint)size);
        }
    }

    private static LedgerFile Continue(string path, SafeFileHandle file, long size)
    {
        LedgerHeader old = ReadHeader(file, size, out _)!;
        return Begin(path, file, size, old.App, old.Records, LastIdOf(file, size, old));
    }

    private static LedgerFile Make(string path, SafeFileHandle file, string app, int records, ulong lastId)
    {
        long size = LedgerLayout.FileSizeBytes(records);
        int error = LibC.posix_fallocate((int)file.DangerousGetHandle(), 0, size);
        return error == 0 ? Begin(path, file, size, app, records, lastId)
            : throw new IOException($"{size} bytes for the ledger: {Errno.Describe(error)}");
    }

    private static LedgerFile Begin(
        string path, SafeFileHandle file, long size, string app, int records, ulong lastId)
    {
        LedgerHeader header = new(
            app, records, Environment.ProcessId, WallNs(), TimeProvider.System.GetTimestamp(), lastId + 1, StoppedNs: 0);
        byte* start = Map(file, size, ReadWrite, Shared | Populate); // no page is met for the first time on the request path
        try
        {
            header.Write(new Span<byte>(start, LedgerLayout.HeaderSizeBytes));
        }
        catch
        {
            _ = LibC.munmap(start, (nint)size);
            throw;
        }

        return new LedgerFile(path, file, start, size, header, isNode: true);
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

    private static long WallNs() => NsOf(DateTimeOffset.UtcNow);

    private static long NsOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
