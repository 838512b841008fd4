namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// All that the reader of manifests has to know of a driver. The drivers themselves are above this room: whoever reads a manifest brings
/// a <see cref="DriverTable"/> of them.
/// </summary>
/// <param name="type">Its name in manifests.</param>
/// <param name="ownKeys">The keys of its tasks, besides those that every task has.</param>
internal class DriverSpec(string type, IReadOnlyList<KeySpec> ownKeys)
{
    /// <summary>Its name in manifests.</summary>
    public string Type { get; } = type;

    /// <summary>Other names of it.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The keys of its tasks, besides <c>type</c>.</summary>
    public IReadOnlyList<KeySpec> Keys { get; } = [.. ownKeys, ManifestKeys.JobTimeout];

    /// <summary>
    /// By a task's values: the name under which messages say that ZeroMQ opens the task's endpoints; null when plain sockets do.
    /// </summary>
    public Func<IReadOnlyDictionary<string, object>, string?> ZeroMqName { get; init; } = static _ => null;

    /// <summary>By a task's values: its endpoints are connected to, and not bound.</summary>
    public Func<IReadOnlyDictionary<string, object>, bool> Connects { get; init; } = static _ => false;

    /// <summary>By a task's values: the mistake in values that are good each by itself; null when there is none.</summary>
    public Func<IReadOnlyDictionary<string, object>, KeyMistake?> Check { get; init; } = static _ => null;
}

/// <summary>A mistake in a task's keys.</summary>
/// <param name="Key">The key where it is shown.</param>
/// <param name="Message">The mistake.</param>
internal readonly record struct KeyMistake(string Key, string Message);
