using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Errors of system calls in words, with the name that manual pages and search engines know.</summary>
internal static class Errno
{
    // The numbers of x86-64 and aarch64, which are the same. Errors that a start or a pool can meet; others are told by their number.
    private static readonly Dictionary<int, string> Names = new()
    {
        [LibC.EPERM] = "EPERM",
        [LibC.ENOENT] = "ENOENT",
        [LibC.EAGAIN] = "EAGAIN",
        [LibC.ENOMEM] = "ENOMEM",
        [LibC.EACCES] = "EACCES",
        [17] = "EEXIST",
        [LibC.ENOTDIR] = "ENOTDIR",
        [21] = "EISDIR",
        [22] = "EINVAL",
        [LibC.ENFILE] = "ENFILE",
        [LibC.EMFILE] = "EMFILE",
        [LibC.ENOSPC] = "ENOSPC",
        [LibC.EROFS] = "EROFS",
        [LibC.EPIPE] = "EPIPE",
        [36] = "ENAMETOOLONG",
        [LibC.ENOSYS] = "ENOSYS",
        [LibC.ELOOP] = "ELOOP",
        [95] = "EOPNOTSUPP",
        [LibC.EADDRINUSE] = "EADDRINUSE",
        [99] = "EADDRNOTAVAIL",
        [LibC.ECONNRESET] = "ECONNRESET",
        [LibC.ENOBUFS] = "ENOBUFS",
        [111] = "ECONNREFUSED",
        [122] = "EDQUOT",
    };

    /// <summary><c>Read-only file system (EROFS)</c>.</summary>
    public static string Describe(int error)
    {
        string name = Names.TryGetValue(error, out string? known) ? known : FormattableString.Invariant($"errno {error}");
        return $"{Marshal.GetPInvokeErrorMessage(error)} ({name})";
    }
}
