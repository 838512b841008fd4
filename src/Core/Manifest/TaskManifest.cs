namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// A task: the method called in the app, and the source of the calls. A value that is not set has the default of its driver.
/// </summary>
public sealed record TaskManifest
{
    /// <summary>The task's name, which is also the name of the called method.</summary>
    public required string Name { get; init; }

    /// <summary>The driver, by its own name: an alias in a manifest has been replaced.</summary>
    public required string DriverType { get; init; }

    /// <summary>
    /// The source of the defaults. The reader sets it, or the node for a task that was made in code. Null until then, and for a driver of
    /// the embedding program.
    /// </summary>
    internal DriverSpec? Driver { get; init; }

    /// <summary>The endpoints that the task listens on or connects to.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>
    /// The events that a native-server serves (<c>*</c> = all; the task's name when none are given), or that a filesystem-monitor reports.
    /// </summary>
    public IReadOnlyList<string> Events
    {
        get => field.Count > 0 ? field : DefaultOf("events") as string[] ?? [];
        init;
    } = [];

    /// <summary>Connections that may wait to be accepted; for a ZeroMQ driver, messages that may wait.</summary>
    public int Backlog
    {
        get => field > 0 ? field : (int)(DefaultOf("backlog") as long? ?? 0);
        init;
    }

    /// <summary>
    /// The keys as they were written and validated: numbers (long), strings, lists (string[]) and booleans; times in ms, sizes in bytes.
    /// The typed getters add the defaults.
    /// </summary>
    public IReadOnlyDictionary<string, object> Keys { get; init; } = new Dictionary<string, object>();

    /// <summary>Longest run of one of the task's jobs, ms; 0 = none; null = the engine's value.</summary>
    public long? JobTimeoutMs => Keys.TryGetValue(ManifestKeys.JobTimeout.Name, out object? value) ? value as long? : null;

    /// <summary>In a cluster, the task's jobs come from one of the nodes that run the app.</summary>
    internal bool RunsOnOne => (Keys.GetValueOrDefault("run-on") ?? DefaultOf("run-on")) is "one";

    /// <summary>A number: a count, a time in ms or a size in bytes.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public long GetLong(string key) => Get<long>(key);

    /// <summary>A number that always fits an int.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public int GetInt(string key) => checked((int)Get<long>(key));

    /// <summary>True or false.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public bool GetBool(string key) => Get<bool>(key);

    /// <summary>A string.</summary>
    /// <exception cref="KeyNotFoundException">The driver has no such key, or it is required and was not given.</exception>
    public string GetText(string key) => Get<string>(key);

    /// <summary>A list of strings; one string in the manifest counts as a list of one.</summary>
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
