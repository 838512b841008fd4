using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>The memory of this process, which may have private keys.</summary>
internal static class OwnMemory
{
    private const int SetDumpable = 4; // PR_SET_DUMPABLE of prctl(2)

    /// <summary>
    /// From now on only root can look into this process: the kernel writes no core file of it, and other processes of its user can neither
    /// trace it nor read its memory and descriptors. Programs that it starts are not changed.
    /// </summary>
    public static void Close() => _ = LibC.prctl(SetDumpable, 0, 0, 0, 0); // it fails on no Linux: the numbers are good
}
