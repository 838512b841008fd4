namespace Cocaine.Fast.Cluster.Tests.Simulation;

/// <summary>A rule that a simulated cluster broke.</summary>
public sealed class BrokenPromise(string message) : Exception(message)
{
    public static void Unless(bool holds, string broken)
    {
        if (!holds)
        {
            throw new BrokenPromise(broken);
        }
    }
}
