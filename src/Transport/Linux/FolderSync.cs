using System.Runtime.InteropServices;
using System.Text;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Makes the names in a folder durable with fsync(2) of the folder itself. .NET does so only for the bytes of files.</summary>
/// <remarks>
/// Safety: the path is a zero-ended copy that is pinned for the one call that reads it; the descriptor is closed once.
/// </remarks>
internal static unsafe class FolderSync
{

    /// <exception cref="IOException">The folder cannot be opened or written.</exception>
    public static void Flush(string folder)
    {
        int descriptor;
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + '\0'))
        {
            descriptor = LibC.open(path, LibC.O_CLOEXEC);
        }

        if (descriptor < 0)
        {
            throw LibC.Failure($"open {folder}");
        }

        int result = LibC.fsync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        LibC.close(descriptor);
        if (result < 0)
        {
            throw new IOException($"fsync {folder}: {Errno.Describe(error)}");
        }
    }
}
