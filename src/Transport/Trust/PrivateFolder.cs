using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>
/// A folder that only its owner and root can change: sockets, apps and records of a node belong in such a folder. A user who could replace
/// the node's socket would act as the node towards its workers, and make the node serve that user's workers.
/// </summary>
/// <remarks>
/// Safety: the path is a zero-ended copy that is pinned for the call; the descriptor is closed once. The folder is looked at through a
/// descriptor that was opened without following a link. When the folder and the folders above it can be trusted, nobody can replace any of
/// them afterwards, so names below it may be used as they are.
/// </remarks>
internal static unsafe class PrivateFolder
{
    private const uint Root = 0, UnmappedUser = 65534;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    // O_DIRECTORY and O_NOFOLLOW differ between the architectures.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int OnlyFolder = IsArm ? 0x4000 : 0x10000;
    private static readonly int DontFollow = IsArm ? 0x8000 : 0x20000;
    private static readonly uint Self = LibC.geteuid();

    /// <summary>In a user namespace, files of users that it does not know, including root, show as files of this user.</summary>
    private static readonly bool IsRootUnmapped = FindRootUnmapped();

    /// <summary>Makes the folder for this user alone, or finds an existing one fit for use.</summary>
    /// <exception cref="IOException">
    /// The folder cannot be made, or others can change its content; the text says who and gives the remedy.
    /// </exception>
    public static void Make(string path)
    {
        try
        {
            MakeAll(Path.GetFullPath(path));
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"{path} cannot be made: {failure.Message}", failure);
        }

        if (Problem(path, mayBeShared: false) is { } problem)
        {
            throw new IOException(problem);
        }
    }

    /// <summary>Why others could replace files in a folder; null when they cannot, and when the folder does not exist.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="mayBeShared">Accept a folder like /tmp, where everybody may make files and nobody may replace files of others.</param>
    public static string? Problem(string path, bool mayBeShared)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string? found = ProblemOfLink(full) ?? ProblemOfFolder(full, mayBeShared);
        for (string? above = Path.GetDirectoryName(full); found is null && above is not null; above = Path.GetDirectoryName(above))
        {
            found = FileStatus.TryRead(above, out FileStatus status) ? ProblemAbove(above, in status) : null;
        }

        return found is null ? null : $"{full} cannot be trusted: {found}";
    }

    // Made one by one: .NET would make the folders above with the mode that the umask leaves, and that may let a group write.
    private static void MakeAll(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(path) is { } above)
        {
            MakeAll(above);
        }

        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A link is as trustworthy as its folder and its maker; the folder that it leads to is checked besides.</summary>
    private static string? ProblemOfLink(string path) =>
        FileStatus.TryRead(Encoding.UTF8.GetBytes(path + '\0'), follow: false, out FileStatus status)
        && status.Kind == FileKind.Link && !IsTrusted(status.OwnerId)
            ? $"it is a link that user {status.OwnerId} has made; remove it" : null;

    private static string? ProblemOfFolder(string path, bool mayBeShared)
    {
        bool isLink = FileStatus.TryRead(Encoding.UTF8.GetBytes(path + '\0'), follow: false, out FileStatus status)
            && status.Kind == FileKind.Link;
        int descriptor;
        fixed (byte* start = Encoding.UTF8.GetBytes(path + '\0'))
        {
            descriptor = LibC.open(start, LibC.O_CLOEXEC | OnlyFolder | (isLink ? 0 : DontFollow));
        }

        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            bool isSeen = FileStatus.TryRead(path, out status);
            return isSeen && !IsTrusted(status.OwnerId) ? OfOther(status.OwnerId)
                : isSeen && status.Kind != FileKind.Folder ? "it is no folder"
                : error == LibC.ENOENT ? null : Errno.Describe(error);
        }

        try
        {
            _ = FileStatus.TryRead(descriptor, out status);
        }
        finally
        {
            _ = LibC.close(descriptor);
        }

        if (!IsTrusted(status.OwnerId))
        {
            return OfOther(status.OwnerId);
        }

        bool isSticky = (status.Mode & UnixFileMode.StickyBit) != 0;
        return (status.Mode & OthersWrite) != 0 && !(mayBeShared && isSticky)
            ? $"others than its owner may write to it (mode {Octal(status.Mode)}); 'chmod go-w {path}' after a look into it" : null;
    }

    private static string? ProblemAbove(string path, in FileStatus status)
    {
        bool isSticky = (status.Mode & UnixFileMode.StickyBit) != 0;
        return !IsTrusted(status.OwnerId) ? $"{path} above it belongs to user {status.OwnerId}, who can put another folder in its place"
            : (status.Mode & UnixFileMode.OtherWrite) != 0 && !isSticky
                ? $"everybody may write to {path} above it (mode {Octal(status.Mode)}) and put another folder in its place" : null;
    }

    private static string OfOther(uint user) =>
        $"it belongs to user {user}, who can put files of their own into it; remove it, or choose another folder";

    private static bool IsTrusted(uint user) => user == Self || user == Root || (user == UnmappedUser && IsRootUnmapped);

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    private static bool FindRootUnmapped()
    {
        try
        {
            string[] first = File.ReadAllText("/proc/self/uid_map").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            return first is not ["0", "0", "4294967295", ..];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
