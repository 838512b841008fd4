namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// A second descriptor of a socket that .NET made, for a connection of ours: its own life, close-on-exec, non-blocking like the first.
/// </summary>
internal static class DescriptorCopy
{
    private const int DuplicateCloseOnExec = 1030;

    public static int Of(int descriptor)
    {
        int copy = LibC.fcntl(descriptor, DuplicateCloseOnExec, 3);
        return copy >= 0 ? copy : throw LibC.Failure("fcntl(F_DUPFD_CLOEXEC)");
    }
}
