using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>
/// The lock of a folder itself, flock(2). It holds also when somebody removes the files in the folder, and the kernel takes it back from a
/// killed process.
/// </summary>
/// <remarks>Safety: the path is a zero-ended copy that is pinned for the call; the descriptor is closed once.</remarks>
internal sealed unsafe class FolderLock : IDisposable
{
    private const int Exclusive = 2, NonBlocking = 4;
    private int _descriptor; // -1 once disposed

    private FolderLock(int descriptor) => _descriptor = descriptor;

    /// <summary>Takes the lock; null when another process, or another node in this process, has it.</summary>
    /// <exception cref="IOException">The folder cannot be opened or locked.</exception>
    public static FolderLock? TryTake(string folder)
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

        if (LibC.flock(descriptor, Exclusive | NonBlocking) == 0)
        {
            return new FolderLock(descriptor);
        }

        bool isHeld = Marshal.GetLastPInvokeError() == LibC.EAGAIN;
        IOException failure = LibC.Failure($"flock {folder}");
        _ = LibC.close(descriptor);
        return isHeld ? null : throw failure;
    }

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = LibC.close(descriptor);
        }
    }
}
