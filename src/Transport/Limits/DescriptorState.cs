using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Limits;

/// <summary>Tells the meaning of the standard streams' numbers in this process.</summary>
/// <remarks>Safety: the path is a constant with its closing zero byte.</remarks>
internal static unsafe class DescriptorState
{
    private const int GetFlags = 1, CloseOnExec = 1, ReadAndWrite = 2, LastStandard = 2;

    /// <summary>
    /// True when the process was started with this descriptor. A close-on-exec descriptor cannot have come over an exec: the runtime or the
    /// program opened it in the place of a closed stream.
    /// </summary>
    public static bool IsInherited(int descriptor) =>
        LibC.fcntl(descriptor, GetFlags, 0) is int flags and >= 0 && (flags & CloseOnExec) == 0;

    /// <summary>Opens the null device under each free number of a standard stream.</summary>
    public static void FillStandard()
    {
        fixed (byte* path = "/dev/null\0"u8)
        {
            int descriptor;
            while ((descriptor = LibC.open(path, ReadAndWrite)) is >= 0 and <= LastStandard)
            {
            }

            if (descriptor > LastStandard)
            {
                _ = LibC.close(descriptor);
            }
        }
    }
}
