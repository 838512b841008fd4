namespace Cocaine.Fast.Core.Pools;

/// <summary>The halves in which the suspects of one slave run again.</summary>
internal static class SuspectHalves
{
    /// <summary>The half of one of the suspects, the newest of which is the first: 0 or 1. The newer ones are the larger half.</summary>
    public static int HalfOf(int place, int count) => place < (count + 1) / 2 ? 0 : 1;
}
