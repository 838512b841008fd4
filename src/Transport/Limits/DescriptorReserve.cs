namespace Cocaine.Fast.Transport.Limits;

/// <summary>
/// Descriptors that clients' connections leave alone. A node that has none left can start no worker and be asked nothing, and the runtime
/// itself ends the process when it cannot open a file that it needs.
/// </summary>
internal static class DescriptorReserve
{
    /// <summary>
    /// The highest descriptor that a client's connection may have. The kernel gives the lowest that is free: one above it means that nearly
    /// all are in use.
    /// </summary>
    public static int LastForConnections { get; } = Read();

    private static int Read()
    {
        int limit = ProcessLimits.Descriptors;
        return limit == int.MaxValue ? int.MaxValue : limit - 1 - NodeRoom.KeptForNode(limit);
    }
}
