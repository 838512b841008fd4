using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The native-server and native-sink drivers as manifests name them. Both also exist with the framing of 2012 over ZeroMQ. The drivers for
/// that framing belong to another family, and are passed in.
/// </summary>
internal static class NativeDrivers
{
    private static readonly KeySpec Transport =
        new("transport", KeyKind.Text, "native framing over sockets, or the framing of 2012 over ZeroMQ", "native")
        {
            Choices = ["native", "zeromq"],
        };

    private static readonly KeySpec Events = new("events", KeyKind.TextList, "the events that clients may call; * = all", "the task's name")
    {
        DefaultsToTaskName = true,
        MaxItemBytes = OpeningBounds.MaxNameBytes,
    };

    private static readonly KeySpec[] Doors =
    [
        ListeningKeys.Endpoint, ListeningKeys.Backlog, ListeningKeys.Connections, ListeningKeys.IdleTimeout, ListeningKeys.Mode,
        ListeningKeys.Tls, TaskGuard.PassAuthorization, TaskGuard.Allow, SealModes.Key,
    ];

    /// <summary>The native-server.</summary>
    public static DriverEntry Server(Func<DriverContext, Driver> overZeroMq) => Entry(
        "native-server", [.. Doors, Events, Transport], NativeService.Serves,
        static context => new NativeServer(context), overZeroMq);

    /// <summary>The native-sink.</summary>
    public static DriverEntry Sink(Func<DriverContext, Driver> overZeroMq) => Entry(
        "native-sink", [.. Doors, Transport], NativeService.Accepts,
        static context => new NativeSink(context), overZeroMq);

    private static DriverEntry Entry(
        string type, IReadOnlyList<KeySpec> keys, NativeService service, Func<DriverContext, Driver> overSockets,
        Func<DriverContext, Driver> overZeroMq) =>
        new(type, keys, context => IsOverZeroMq(context.Task.Keys) ? overZeroMq(context) : overSockets(context))
        {
            Native = service,
            ZeroMqName = values => IsOverZeroMq(values) ? $"{type} over ZeroMQ" : null,
            Check = values => ListeningKeys.Check(values) ?? (IsOverZeroMq(values) ? OnlyOverSockets(values) : null),
        };

    /// <summary>The connections of a ZeroMQ socket have bounds of their own, and its messages have no headers.</summary>
    private static KeyMistake? OnlyOverSockets(IReadOnlyDictionary<string, object> values)
    {
        string? key = values.ContainsKey(ListeningKeys.Connections.Name) ? ListeningKeys.Connections.Name
            : values.ContainsKey(ListeningKeys.IdleTimeout.Name) ? ListeningKeys.IdleTimeout.Name : null;
        if (values.ContainsKey(ListeningKeys.Tls.Name))
        {
            return new KeyMistake(ListeningKeys.Tls.Name, "the task is over ZeroMQ, which has no TLS");
        }

        return key is not null ? new KeyMistake(key, "the task is over ZeroMQ, where the bounds of connections are fixed")
            : values.ContainsKey(TaskGuard.PassAuthorization.Name)
            ? new KeyMistake(TaskGuard.PassAuthorization.Name, "the task is over ZeroMQ, whose messages have no headers") : null;
    }

    private static bool IsOverZeroMq(IReadOnlyDictionary<string, object> values) =>
        values.TryGetValue("transport", out object? transport) && transport is "zeromq";
}
