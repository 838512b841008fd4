namespace Cocaine.Fast.Drivers.Custom;

/// <summary>
/// A driver of an embedding program: turns something that happens into jobs of one task. It runs on threads of its own, and hands jobs over
/// through <see cref="TaskJobs"/>. A node knows it by <c>NodeOptions.Drivers</c>; each task of that type gets an instance.
/// </summary>
/// <remarks>
/// The node calls all members on the app's loop, which serves others meanwhile: they return at once and wait for nothing.
/// </remarks>
public abstract class CustomDriver
{
    /// <summary>Where it listens, for info and for the node's list of endpoints; empty when it does not.</summary>
    public virtual IReadOnlyList<string> Endpoints => [];

    /// <summary>The values that info shows of it, by name: numbers, texts, booleans.</summary>
    public virtual IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>();

    /// <summary>Opens what it needs and begins. When it throws, nothing stays open, and the app does not start.</summary>
    /// <param name="jobs">The way to the task; its manifest has the keys.</param>
    /// <exception cref="IOException">The port is taken, the path cannot be used, …: the text says what.</exception>
    /// <exception cref="FormatException">A key cannot be used: the text says why.</exception>
    public abstract void Start(TaskJobs jobs);

    /// <summary>The app drains: take nothing new. Jobs under way go on, and still get their answers.</summary>
    public abstract void StopTaking();

    /// <summary>The app has ended: close what is left. Also called when another task of the app could not start.</summary>
    public abstract void Close();
}

/// <summary>A job that was refused or failed, with the category and code of docs/protocol.md.</summary>
/// <param name="category">1000 for the node's own errors; anything else is the app's.</param>
/// <param name="code">The code within the category.</param>
/// <param name="reason">For people.</param>
public sealed class JobException(int category, int code, string reason) : Exception(reason)
{
    /// <summary>1000 for the node's own errors; anything else is the app's.</summary>
    public int Category { get; } = category;

    /// <summary>The code within the category.</summary>
    public int Code { get; } = code;

    /// <summary>The job's number within its app, for <c>cocaine-fast why</c>; 0 when it never got one.</summary>
    public ulong JobId { get; init; }

    /// <summary>When there is room again by the present speed; null when it was not room that was missing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
