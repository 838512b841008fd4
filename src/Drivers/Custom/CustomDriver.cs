namespace Cocaine.Fast.Drivers.Custom;

/// <summary>
/// A driver of an embedding program: turns events of the program into jobs of one task. The driver runs on threads of its own, and passes
/// jobs through <see cref="TaskJobs"/>. A node gets its type by <c>NodeOptions.Drivers</c>; each task of that type gets an instance.
/// </summary>
/// <remarks>
/// The node calls all members on the app's loop, which serves others meanwhile: the members must return at once and wait for nothing.
/// </remarks>
public abstract class CustomDriver
{
    /// <summary>
    /// The endpoints that the driver listens on, for info and for the node's list of endpoints; empty when there are none.
    /// </summary>
    public virtual IReadOnlyList<string> Endpoints => [];

    /// <summary>The driver's values for info, by name: numbers, texts, booleans.</summary>
    public virtual IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>();

    /// <summary>
    /// Opens everything that the driver needs, and begins. When the method throws, nothing stays open, and the app does not start.
    /// </summary>
    /// <param name="jobs">The way to the task; its manifest has the keys.</param>
    /// <exception cref="IOException">The port is taken, the path cannot be used, …: the text gives the reason.</exception>
    /// <exception cref="FormatException">A key cannot be used: the text gives the reason.</exception>
    public abstract void Start(TaskJobs jobs);

    /// <summary>The app drains: take no new work. Running jobs go on, and still get their answers.</summary>
    public abstract void StopTaking();

    /// <summary>The app has ended: close everything that is left. Also called when another task of the app could not start.</summary>
    public abstract void Close();
}

/// <summary>A job that was refused or failed, with the category and code of docs/protocol.md.</summary>
/// <param name="category">1000 for the node's own errors; any other category is the app's.</param>
/// <param name="code">The code within the category.</param>
/// <param name="reason">The reason, for people.</param>
public sealed class JobException(int category, int code, string reason) : Exception(reason)
{
    /// <summary>1000 for the node's own errors; any other category is the app's.</summary>
    public int Category { get; } = category;

    /// <summary>The code within the category.</summary>
    public int Code { get; } = code;

    /// <summary>The job's number within its app, for <c>cocaine-fast why</c>; 0 when the job never got one.</summary>
    public ulong JobId { get; init; }

    /// <summary>Time until there is room again at the present rate; null when there was no lack of room.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
