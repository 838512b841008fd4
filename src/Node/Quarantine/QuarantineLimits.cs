namespace Cocaine.Fast.Node.Quarantine;

/// <summary>The bounds of the jobs that a node keeps because they killed slaves.</summary>
internal static class QuarantineLimits
{
    /// <summary>The most jobs: more than people look through. A client that repeats one bad request must not fill the disk.</summary>
    public const int MaxJobs = 1000;

    /// <summary>The most bytes in files: four requests of the largest size, or very many usual ones.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>The most bytes when jobs are kept in the node's memory, which its apps need.</summary>
    public const long MaxMemoryBytes = 32L << 20;

    /// <summary>
    /// The most bytes on their way to the disk: two requests of the largest size. Past this bound a job is not kept, so that the memory
    /// does not fill.
    /// </summary>
    public const long MaxPendingBytes = 130L << 20;

    /// <summary>The most jobs on their way to the disk.</summary>
    public const int MaxPendingJobs = 256;

    /// <summary>The time that the disk gets to take the last jobs when the node ends.</summary>
    public const int CloseTimeoutMs = 5000;
}
