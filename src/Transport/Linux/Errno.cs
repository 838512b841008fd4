using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Errors of system calls in words, with the name that manual pages and search engines know.</summary>
internal static class Errno
{
    // The numbers of x86-64 and aarch64, which are the same. The table has errors that a start or a pool can meet; other errors are shown
    // by their number.
    private static readonly Dictionary<int, string> Names = new()
    {
        [LibC.EPERM] = "EPERM",
        [LibC.ENOENT] = "ENOENT",
        [LibC.EAGAIN] = "EAGAIN",
        [LibC.ENOMEM] = "ENOMEM",
        [LibC.EACCES] = "EACCES",
        [LibC.EEXIST] = "EEXIST",
        [LibC.ENOTDIR] = "ENOTDIR",
        [LibC.EISDIR] = "EISDIR",
        [LibC.EINVAL] = "EINVAL",
        [LibC.ENFILE] = "ENFILE",
        [LibC.EMFILE] = "EMFILE",
        [LibC.ENOSPC] = "ENOSPC",
        [LibC.EROFS] = "EROFS",
        [LibC.EPIPE] = "EPIPE",
        [LibC.ENAMETOOLONG] = "ENAMETOOLONG",
        [LibC.ENOSYS] = "ENOSYS",
        [LibC.ELOOP] = "ELOOP",
        [LibC.EOPNOTSUPP] = "EOPNOTSUPP",
        [LibC.EADDRINUSE] = "EADDRINUSE",
        [LibC.EADDRNOTAVAIL] = "EADDRNOTAVAIL",
        [LibC.ECONNRESET] = "ECONNRESET",
        [LibC.ENOBUFS] = "ENOBUFS",
        [LibC.ECONNREFUSED] = "ECONNREFUSED",
        [LibC.EDQUOT] = "EDQUOT",
    };

    /// <summary><c>Read-only file system (EROFS)</c>.</summary>
    public static string Describe(int error)
    {
        string name = Names.TryGetValue(error, out string? known) ? known : FormattableString.Invariant($"errno {error}");
        return $"{Marshal.GetPInvokeErrorMessage(error)} ({name})";
    }
}
