namespace Cocaine.Fast.Node.Quarantine;

/// <summary>How much a node keeps of jobs that killed slaves.</summary>
internal static class QuarantineLimits
{
    /// <summary>More than people look through; a client that repeats one bad request must not fill the disk.</summary>
    public const int MaxJobs = 1000;

    /// <summary>Four requests of the largest size, or very many usual ones.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>The same where they are kept in the node's memory, which its apps need.</summary>
    public const long MaxMemoryBytes = 32L << 20;

    /// <summary>
    /// Bytes on their way to the disk: two requests of the largest size. Past it a job is not kept, rather than the memory filled.
    /// </summary>
    public const long MaxPendingBytes = 130L << 20;

    /// <summary>Jobs on their way to the disk.</summary>
    public const int MaxPendingJobs = 256;

    /// <summary>For the disk to take what is on its way when the node ends.</summary>
    public const int CloseTimeoutMs = 5000;
}
