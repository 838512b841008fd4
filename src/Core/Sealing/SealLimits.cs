namespace Cocaine.Fast.Core.Sealing;

/// <summary>The bounds of sealed jobs, each with its reason.</summary>
internal static class SealLimits
{
    /// <summary>Below 2048 bits a key is too weak; above 4096 bits a private-key operation takes more than 3 ms.</summary>
    public const int MinKeyBits = 2048, MaxKeyBits = 4096;

    /// <summary>A PEM file with a key of the largest size has 3.3 KiB.</summary>
    public const int MaxKeyFileBytes = 16 << 10;

    /// <summary>Public keys of a folder: as many as a node has sessions.</summary>
    public const int MaxPublicKeys = 4096;

    /// <summary>Private keys of a node: the present one and those that it replaces.</summary>
    public const int MaxOwnKeys = 16;

    /// <summary>An opening with two keys of the largest size has 2.6 KiB.</summary>
    public const int MaxOpeningBytes = 4096;

    /// <summary>The longest time between the two times in an opening, s: an opening is used at once.</summary>
    public const int MaxOpeningAgeS = 60;

    /// <summary>The largest difference between the clocks of sender and node, s.</summary>
    public const int SkewS = 60;

    /// <summary>Numbers of openings that are remembered until nobody can use them again.</summary>
    public const int MaxOpenings = 65_536;

    /// <summary>A session that a thief of memory has stolen is of use for this long, ms.</summary>
    public const long MaxSessionMs = 3_600_000;

    /// <summary>Silence after which a session is forgotten, ms.</summary>
    public const long MaxIdleMs = 600_000;

    /// <summary>Sessions of one identity: a process with a connection for each of 64 threads.</summary>
    public const int MaxSessionsOfOne = 64;

    /// <summary>Sessions of a node, 1 KiB each.</summary>
    public const int MaxSessions = 4096;

    /// <summary>Records of a session and direction: far below the bound of AES-GCM with a counter as nonce.</summary>
    public const long MaxRecords = 1L << 32;

    /// <summary>Openings of one identity in a second: at 1.4 ms of the private key each, less than 1 % of a core.</summary>
    public const int OpeningsPerS = 5;

    /// <summary>Openings of one identity at once: the connections of a process that starts.</summary>
    public const int OpeningBurst = 20;

    /// <summary>A longer time in a header counts as this one, ms: a year, as for jobs that are not sealed.</summary>
    public const long MaxTimeMs = 366L * 24 * 3600 * 1000;

    /// <summary>A larger limit of retries counts as this one, as for jobs that are not sealed.</summary>
    public const int MaxRetries = 1000;
}
