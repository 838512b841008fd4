namespace Cocaine.Fast.Cluster.Records;

/// <summary>
/// The cluster's knowledge of one app: its manifest, its code and its state. The truth of an app is the record with the highest age
/// (<see cref="Generation"/>, then <see cref="Step"/>) on any disk or in the engine. Records are values: a change makes another one.
/// </summary>
internal sealed record AppRecord
{
    /// <summary>The name of the app.</summary>
    public required string App { get; init; }

    /// <summary>1 for the first record of an app, and one more for each change by a person.</summary>
    public required long Generation { get; init; }

    /// <summary>0, and one more for each move of the coordinator within a generation.</summary>
    public int Step { get; init; }

    /// <summary>The unique name of the change that made this record: a writer without an answer finds its own write by it.</summary>
    public required string Change { get; init; }

    /// <summary>The change before: a writer finds its own write by it when another writer was quick.</summary>
    public string? Follows { get; init; }

    /// <summary>The change by a person that began this generation: moves of the coordinator keep it. Null in old records.</summary>
    public string? Asked { get; init; }

    /// <summary>Whether this is a tombstone: the app was deleted, and stays deleted on nodes that were away.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>The version of the manifest.</summary>
    public int Version { get; init; }

    /// <summary>The text of the manifest; empty in a tombstone.</summary>
    public string Manifest { get; init; } = "";

    /// <summary>
    /// The path of the manifest's file at the node where the record was made: on each node, relative paths of the manifest start from its
    /// folder. With <see cref="Code"/> it is the path within the pack.
    /// </summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of the packed code, in hexadecimal; null when each node has the code in its own folders.</summary>
    public string? Code { get; init; }

    /// <summary>Whether the app takes no jobs until it is resumed.</summary>
    public bool IsPaused { get; init; }

    /// <summary>
    /// The generation in which the manifest was set: nodes that run this one run the present manifest, whatever its version and text.
    /// </summary>
    public long Made { get; init; }

    /// <summary>How another version comes to the nodes; null when all nodes run the one version.</summary>
    public RolloutPlan? Rollout { get; init; }

    /// <summary>
    /// The manifest before: nodes to which the rollout has not come run it, and all go back to it when the new one fails. It stands in the
    /// same record, so no node ever sees the one without the other. Null when there was none, or all have gone back to it.
    /// </summary>
    public AppRelease? Previous { get; init; }

    /// <summary>The name of the node at which the change was made.</summary>
    public required string By { get; init; }

    /// <summary>When the change was made, ms since 1970 by the clock of that node. Only shown: no decision compares it.</summary>
    public long AtMs { get; init; }

    /// <summary>The place of a signature over the record; nothing reads it yet, and a copy keeps it.</summary>
    public string? Signature { get; init; }

    /// <summary>The manifest of this record, to keep it beside another one.</summary>
    public AppRelease Release => new(Made, Version, Manifest, Path, Code);

    /// <summary>The record as one node should follow it: with the manifest before while the rollout has not come to the node.</summary>
    /// <param name="node">The uuid of the node.</param>
    public AppRecord For(string node) =>
        Previous is { } previous && Rollout is { } plan && !plan.IsFor(node) ? With(previous) : this;

    /// <summary>The record with another manifest.</summary>
    /// <param name="release">The manifest.</param>
    public AppRecord With(AppRelease release) => this with
    {
        Made = release.Made,
        Version = release.Version,
        Manifest = release.Manifest,
        Path = release.Path,
        Code = release.Code,
    };

    /// <summary>Below 0 when this record is older than the other one, 0 when both have one age, above 0 when it is younger.</summary>
    /// <param name="other">A record of the same app.</param>
    public int CompareAge(AppRecord other)
    {
        int generations = Generation.CompareTo(other.Generation);
        return generations != 0 ? generations : Step.CompareTo(other.Step);
    }
}
