using System.Text;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>The kind of a path.</summary>
internal enum FileKind : byte
{
    /// <summary>A file, a pipe, a socket, a device.</summary>
    File,
    Folder,

    /// <summary>A symbolic link.</summary>
    Link,
}

/// <summary>The facts of statx(2) about a path.</summary>
/// <param name="Kind">The kind of the path.</param>
/// <param name="Identity">Made of inode and device: another value means another file under the same name.</param>
/// <param name="SizeBytes">The size of the file.</param>
/// <param name="ModifiedNs">The last change of the content, ns since 1970.</param>
/// <remarks>Safety: the buffer is on the stack and as large as struct statx, whose layout is the same on every architecture.</remarks>
internal readonly unsafe record struct FileStatus(FileKind Kind, ulong Identity, long SizeBytes, long ModifiedNs)
{
    private const int BufferBytes = 256, OwnerOffset = 20, ModeOffset = 28, InodeOffset = 32, SizeOffset = 40, ModifiedOffset = 112,
        DeviceOffset = 136;
    private const int HereFolder = -100, DontFollow = 0x100, OfDescriptor = 0x1000;
    private const uint BasicFields = 0x7ff;

    /// <summary>The owner of the file.</summary>
    public uint OwnerId { get; init; }

    /// <summary>The rights to read, write and enter the file.</summary>
    public UnixFileMode Mode { get; init; }

    /// <summary>The path is a socket.</summary>
    public bool IsSocket { get; init; }

    /// <summary>The file has bytes to read, and an end: it is no pipe, socket or device.</summary>
    public bool IsPlain { get; init; }

    /// <summary>Reads the status of the file that a path leads to; false when there is none.</summary>
    public static bool TryRead(string path, out FileStatus status) =>
        TryRead(Encoding.UTF8.GetBytes(path + '\0'), follow: true, out status);

    /// <summary>Reads the status of an open file, whatever happens to its name meanwhile.</summary>
    public static bool TryRead(int descriptor, out FileStatus status) => TryRead(descriptor, "\0"u8, OfDescriptor, out status);

    /// <summary>Reads the status of a path with a closing zero byte; false when the path does not exist.</summary>
    public static bool TryRead(ReadOnlySpan<byte> path, bool follow, out FileStatus status) =>
        TryRead(HereFolder, path, follow ? 0 : DontFollow, out status);

    private static bool TryRead(int folder, ReadOnlySpan<byte> path, int flags, out FileStatus status)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        status = default;
        fixed (byte* start = path)
        {
            if (LibC.statx(folder, start, flags, BasicFields, buffer) != 0)
            {
                return false;
            }
        }

        ulong device = *(ulong*)(buffer + DeviceOffset);
        status = new FileStatus(
            (*(ushort*)(buffer + ModeOffset) & 0xf000) switch { 0x4000 => FileKind.Folder, 0xa000 => FileKind.Link, _ => FileKind.File },
            *(ulong*)(buffer + InodeOffset) ^ (device * 0x9e37_79b9_7f4a_7c15),
            *(long*)(buffer + SizeOffset),
            (*(long*)(buffer + ModifiedOffset) * 1_000_000_000) + *(uint*)(buffer + ModifiedOffset + sizeof(long)))
        {
            OwnerId = *(uint*)(buffer + OwnerOffset),
            Mode = (UnixFileMode)(*(ushort*)(buffer + ModeOffset) & 0xfff),
            IsSocket = (*(ushort*)(buffer + ModeOffset) & 0xf000) == 0xc000,
            IsPlain = (*(ushort*)(buffer + ModeOffset) & 0xf000) == 0x8000,
        };
        return true;
    }
}
