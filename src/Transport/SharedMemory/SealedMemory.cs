using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.SharedMemory;

/// <summary>Memory that another process can map: a memfd of fixed size.</summary>
/// <remarks>
/// Safety: the memfd is sealed against shrinking before it is shared, and its pages exist, so no access can raise SIGBUS. The caller owns
/// the descriptor and the mapping.
/// </remarks>
internal static unsafe class SealedMemory
{
    private const uint CloseOnExec = 1, AllowSealing = 2;
    private const int AddSeals = 1033, SealSeal = 1, SealShrink = 2, SealGrow = 4;
    private const int ReadWrite = 3, Shared = 1, Private = 2, Anonymous = 0x20;
    private const int SeekEnd = 2;

    /// <summary>Makes a memfd; returns its descriptor.</summary>
    /// <exception cref="IOException">No memory, or no descriptor.</exception>
    public static int Create(string name, long size)
    {
        int descriptor = LibC.memfd_create(name, CloseOnExec | AllowSealing);
        if (descriptor < 0)
        {
            throw LibC.Failure("memfd_create");
        }

        // Allocated now, so that a lack of memory is an error here, and not a SIGBUS in the middle of a job.
        int error = LibC.posix_fallocate(descriptor, 0, size);
        if (error != 0 || LibC.fcntl(descriptor, AddSeals, SealSeal | SealShrink | SealGrow) != 0)
        {
            IOException failure = error != 0
                ? new IOException($"posix_fallocate of {size} bytes: {Errno.Describe(error)}")
                : LibC.Failure("fcntl(F_ADD_SEALS)");
            _ = LibC.close(descriptor);
            throw failure;
        }

        return descriptor;
    }

    /// <summary>The size of a memfd; negative when it is none.</summary>
    public static long SizeBytes(int descriptor) => LibC.lseek(descriptor, 0, SeekEnd);

    /// <summary>
    /// Maps a memfd, or private memory for a descriptor of -1; when that fails, the descriptor is closed, because nobody would own it.
    /// </summary>
    /// <exception cref="IOException">The system refuses the mapping.</exception>
    public static byte* MapOrClose(long size, int descriptor)
    {
        void* start = LibC.mmap(null, (nint)size, ReadWrite, descriptor >= 0 ? Shared : Private | Anonymous, descriptor, 0);
        if ((nint)start != -1)
        {
            return (byte*)start;
        }

        IOException failure = LibC.Failure($"mmap of {size} bytes");
        if (descriptor >= 0)
        {
            _ = LibC.close(descriptor);
        }

        throw failure;
    }
}
