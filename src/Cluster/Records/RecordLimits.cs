namespace Cocaine.Fast.Cluster.Records;

/// <summary>The bounds of records, each with its reason.</summary>
internal static class RecordLimits
{
    /// <summary>
    /// How often a change is decided and written, before its caller is told that others change the app at the same time. Of five writers at
    /// once each is first within five rounds; more of them is a script that should wait.
    /// </summary>
    public const int MostWrites = 5;

    /// <summary>
    /// A node that was out of sync for longer puts nothing back into the engine: a machine that was forgotten for longer would bring back
    /// deleted apps. A week is longer than a holiday's worth of an engine that nobody restarts.
    /// </summary>
    public static readonly TimeSpan LongestAbsence = TimeSpan.FromDays(7);

    /// <summary>
    /// How long a node puts a tombstone back. Four times <see cref="LongestAbsence"/>: a node that was away may still hold the live record
    /// and may still put it back, but not for longer than that.
    /// </summary>
    public static readonly TimeSpan TombstoneInEngine = TimeSpan.FromDays(30);

    /// <summary>
    /// How long a tombstone stays on a node's disk: long enough to outlive the engine's tombstones and a node's longest holiday.
    /// </summary>
    public static readonly TimeSpan TombstoneOnDisk = TimeSpan.FromDays(90);
}
