namespace Cocaine.Fast.Core.Manifest;

/// <summary>A task: the method called in the app, and what calls it. A value that is not set has the default of its driver.</summary>
public sealed record TaskManifest
{
    /// <summary>The task's name, which is the method that is called.</summary>
    public required string Name { get; init; }

    /// <summary>The driver, by its own name: an alias in a manifest is resolved.</summary>
    public required string DriverType { get; init; }

    /// <summary>
    /// Where the defaults come from: the reader sets it, and the node does for a task that was made in code. Null until then, and for a
    /// driver of the embedding program.
    /// </summary>
    internal DriverSpec? Driver { get; init; }

    /// <summary>Where it listens or connects to.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>
    /// The events that a native-server serves (<c>*</c> = all; its own name when none are given), or that a filesystem-monitor reports.
    /// </summary>
    public IReadOnlyList<string> Events
    {
        get => field.Count > 0 ? field : DefaultOf("events") as string[] ?? [];
        init;
    } = [];

    /// <summary>Connections that may wait to be accepted; of a ZeroMQ driver: messages that may wait.</summary>
    public int Backlog
    {
        get => field > 0 ? field : (int)(DefaultOf("backlog") as long? ?? 0);
        init;
    }

    /// <summary>
    /// The keys as they were written and validated: numbers (long), strings, lists (string[]) and booleans; times in ms, sizes in bytes.
    /// The typed getters fill in the defaults.
    /// </summary>
    public IReadOnlyDictionary<string, object> Keys { get; init; } = new Dictionary<string, object>();

    /// <summary>Longest run of one of its jobs, ms; 0 = none; null = the engine's.</summary>
    public long? JobTimeoutMs => Keys.TryGetValue(ManifestKeys.JobTimeout.Name, out object? value) ? value as long? : null;

    /// <summary>A number: a count, a time in ms or a size in bytes.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public long GetLong(string key) => Get<long>(key);

    /// <summary>A number that is known to be small.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public int GetInt(string key) => checked((int)Get<long>(key));

    /// <summary>True or false.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public bool GetBool(string key) => Get<bool>(key);

    /// <summary>A string.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public string GetText(string key) => Get<string>(key);

    /// <summary>A list of strings; one string in the manifest is a list of one.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public IReadOnlyList<string> GetList(string key) => Get<IReadOnlyList<string>>(key);

    private T Get<T>(string key)
    {
        object? value = key switch
        {
            "endpoint" => Endpoints,
            "events" => Events,
            "backlog" => (long)Backlog,
            _ => Keys.TryGetValue(key, out object? given) ? given : DefaultOf(key),
        };
        return value switch
        {
            T typed => typed,
            null => throw new KeyNotFoundException($"task {Name}: {DriverType} has no value for '{key}'"),
            _ => throw new InvalidCastException($"task {Name}: '{key}' is a {value.GetType().Name}, not a {typeof(T).Name}"),
        };
    }

    private object? DefaultOf(string key) => Driver?.Keys.FirstOrDefault(spec => spec.Name == key) is { } spec
        ? spec.DefaultsToTaskName ? (string[])[Name] : spec.DefaultValue : null;
}
