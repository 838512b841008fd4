namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// Everything that the reader of manifests needs to know about a driver. The drivers themselves are above this room: the caller that reads
/// a manifest brings a <see cref="DriverTable"/> of them.
/// </summary>
/// <param name="type">The driver's name in manifests.</param>
/// <param name="ownKeys">The keys of the driver's tasks, besides those that every task has.</param>
internal class DriverSpec(string type, IReadOnlyList<KeySpec> ownKeys)
{
    /// <summary>The driver's name in manifests.</summary>
    public string Type { get; } = type;

    /// <summary>Other names of the driver.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The keys of the driver's tasks, besides <c>type</c>.</summary>
    public IReadOnlyList<KeySpec> Keys { get; } = [.. ownKeys, ManifestKeys.JobTimeout];

    /// <summary>
    /// From a task's values, the name under which messages say that ZeroMQ opens the task's endpoints; null when plain sockets do.
    /// </summary>
    public Func<IReadOnlyDictionary<string, object>, string?> ZeroMqName { get; init; } = static _ => null;

    /// <summary>From a task's values, true when the task connects to its endpoints instead of binding them.</summary>
    public Func<IReadOnlyDictionary<string, object>, bool> Connects { get; init; } = static _ => false;

    /// <summary>From a task's values, the mistake in values that are good each by itself; null when there is none.</summary>
    public Func<IReadOnlyDictionary<string, object>, KeyMistake?> Check { get; init; } = static _ => null;
}

/// <summary>A mistake in a task's keys.</summary>
/// <param name="Key">The key at which the mistake is shown.</param>
/// <param name="Message">The mistake in words.</param>
internal readonly record struct KeyMistake(string Key, string Message);
