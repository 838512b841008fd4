namespace Cocaine.Fast.Worker;

/// <summary>Marks the class of an assembly that holds the app's events. Needed only when several classes have events.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CocaineAppAttribute : Attribute;

/// <summary>Marks a method that serves an event.</summary>
/// <param name="name">The event's name; null = the method's own.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EventAttribute(string? name = null) : Attribute
{
    /// <summary>The event's name, or null for the method's own.</summary>
    public string? Name { get; } = name;
}

/// <summary>The facts about an app for its own code. A class of the app may take them in its constructor.</summary>
/// <param name="AppName">The app's name in its manifest.</param>
/// <param name="Uuid">The id of this slave.</param>
/// <param name="Version">The manifest's version.</param>
public sealed record AppIdentity(string AppName, string Uuid, int Version = 0)
{
    /// <summary>
    /// The endpoint of the node's locator, for an app that calls other apps: the argument <c>locator</c> of
    /// <c>CocaineClient.ConnectToAppAsync</c>. Null when the node has no locator.
    /// </summary>
    public string? Locator { get; init; }
}

/// <summary>An assembly cannot run as an app; the message gives the reason.</summary>
public sealed class AppLoadException(string message, Exception? inner = null) : Exception(message, inner);
