using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// Descriptors that clients' connections leave alone. A node that has none left can start no worker and be asked nothing, and the runtime
/// itself ends the process when it cannot open a file that it needs.
/// </summary>
/// <remarks>Safety: the structure that getrlimit fills is on the stack.</remarks>
internal static unsafe class DescriptorReserve
{
    /// <summary>Enough for workers that come up (9 each), for commands, and for what the runtime loads late.</summary>
    private const int Reserve = 64;

    private const int Files = 7; // RLIMIT_NOFILE

    /// <summary>
    /// The highest descriptor that a client's connection may have. The kernel gives the lowest that is free: one above it means that nearly
    /// all are in use. Of a limit that is small a quarter is kept.
    /// </summary>
    public static int LastForConnections { get; } = Read();

    private static int Read()
    {
        ulong* limits = stackalloc ulong[2]; // struct rlimit: soft, hard
        if (LibC.getrlimit(Files, limits) != 0 || limits[0] > int.MaxValue)
        {
            return int.MaxValue;
        }

        int soft = (int)limits[0];
        return soft - 1 - Math.Min(Reserve, soft / 4);
    }
}
