using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>All that others know of a driver: what manifests say of it, what it speaks, and how it is made.</summary>
/// <param name="type">Its name in manifests.</param>
/// <param name="keys">The keys of its tasks, besides those that every task has.</param>
/// <param name="make">Makes it for a task; it opens nothing yet.</param>
internal sealed class DriverEntry(string type, IReadOnlyList<KeySpec> keys, Func<DriverContext, Driver> make) : DriverSpec(type, keys)
{
    /// <summary>The service for clients of docs/protocol.md at its endpoints, when plain sockets open these.</summary>
    public NativeService Native { get; init; }

    /// <summary>Makes the driver of a task.</summary>
    public Driver Make(DriverContext context) => make(context);
}

/// <summary>The service of a driver for clients of docs/protocol.md.</summary>
internal enum NativeService
{
    /// <summary>Nothing: it speaks otherwise, or does not listen.</summary>
    None,

    /// <summary>They can connect to it, and their calls end when the job is accepted.</summary>
    Accepts,

    /// <summary>They can connect to it and call the task's events.</summary>
    Serves,
}
