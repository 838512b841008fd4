using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>Everything that other parts know about a driver: its keys in manifests, its protocol, and how it is made.</summary>
/// <param name="type">The driver's name in manifests.</param>
/// <param name="keys">The keys of the driver's tasks, besides those that every task has.</param>
/// <param name="make">Makes the driver for a task; the driver opens nothing yet.</param>
internal sealed class DriverEntry(string type, IReadOnlyList<KeySpec> keys, Func<DriverContext, Driver> make) : DriverSpec(type, keys)
{
    /// <summary>The driver's service for clients of docs/protocol.md at its endpoints, when plain sockets open the endpoints.</summary>
    public NativeService Native { get; init; }

    /// <summary>Makes the driver of a task.</summary>
    public Driver Make(DriverContext context) => make(context);
}

/// <summary>The service of a driver for clients of docs/protocol.md.</summary>
internal enum NativeService
{
    /// <summary>None: the driver speaks another protocol, or does not listen.</summary>
    None,

    /// <summary>Clients can connect, and their calls end when the job is accepted.</summary>
    Accepts,

    /// <summary>Clients can connect and call the task's events.</summary>
    Serves,
}
