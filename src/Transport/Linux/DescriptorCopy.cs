namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// A second descriptor of a socket that .NET made, for one of the node's connections: with a life of its own, close-on-exec, and
/// non-blocking like the first.
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
