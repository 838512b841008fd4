namespace Cocaine.Fast.Node.Cluster;

/// <summary>The machine of this process, as far as its network goes: containers of one machine have networks of their own.</summary>
internal static class OwnMachine
{
    /// <summary>The name, the same for two processes that reach each other by loopback addresses; empty when it is not known.</summary>
    public static string Name { get; } = Read();

    private static string Read()
    {
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            return $"{boot} {File.ResolveLinkTarget("/proc/self/ns/net", returnFinalTarget: false)?.Name}";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return ""; // then loopback addresses of other nodes are given to nobody
        }
    }
}
