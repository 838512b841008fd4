using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Drivers.ZeroMq;

namespace Cocaine.Fast.Drivers;

/// <summary>Every driver by the type that manifests name it with. A new driver is one file and one line here.</summary>
internal static class DriverRegistry
{
    private static readonly Dictionary<string, Func<DriverContext, Driver?>> Makers = new(StringComparer.Ordinal)
    {
        ["native-server"] = context => IsOverZeroMq(context) ? new ZeroMqNativeServer(context) : new NativeServer(context),
        ["native-sink"] = context => IsOverZeroMq(context) ? new ZeroMqNativeSink(context) : null,
        ["zeromq-server"] = context => new ZeroMqServer(context),
        ["zeromq-sink"] = context => new ZeroMqSink(context),
        ["zeromq-subscriber"] = context => new ZeroMqSubscriber(context),
        ["server+lsd"] = context => new LsdServer(context),
    };

    /// <summary>The types that this build can run.</summary>
    public static IReadOnlyCollection<string> Types => Makers.Keys;

    /// <summary>Makes the driver of a task, or returns null when this build has none of its type.</summary>
    public static Driver? Create(DriverContext context) =>
        Makers.TryGetValue(context.Task.DriverType, out Func<DriverContext, Driver?>? make) ? make(context) : null;

    private static bool IsOverZeroMq(DriverContext context) =>
        context.Task.Keys.TryGetValue("transport", out object? transport) && transport is "zeromq";
}
