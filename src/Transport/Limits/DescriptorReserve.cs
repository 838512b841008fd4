namespace Cocaine.Fast.Transport.Limits;

/// <summary>
/// Descriptors that clients' connections may not take. A node without free descriptors can neither start workers nor take commands, and the
/// runtime itself ends the process when it cannot open a file that it needs.
/// </summary>
internal static class DescriptorReserve
{
    /// <summary>
    /// The highest descriptor that a client's connection may have. The kernel gives the lowest free one, so a descriptor above this one
    /// means that nearly all are in use.
    /// </summary>
    public static int LastForConnections { get; } = Read();

    private static int Read()
    {
        int limit = ProcessLimits.Descriptors;
        return limit == int.MaxValue ? int.MaxValue : limit - 1 - NodeRoom.KeptForNode(limit);
    }
}
