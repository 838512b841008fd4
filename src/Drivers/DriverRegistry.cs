using Cocaine.Fast.Drivers.FileSystem;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Drivers.Raw;

namespace Cocaine.Fast.Drivers;

/// <summary>Every driver by the type that manifests name it with. A new driver is one file and one line here.</summary>
internal static class DriverRegistry
{
    private static readonly Dictionary<string, Func<DriverContext, Driver>> Makers = new(StringComparer.Ordinal)
    {
        ["filesystem-monitor"] = context => new FileSystemMonitor(context),
        ["native-server"] = context => new NativeServer(context),
        ["raw-server"] = context => new RawServer(context),
    };

    /// <summary>The types that this build can run.</summary>
    public static IReadOnlyCollection<string> Types => Makers.Keys;

    /// <summary>Makes the driver of a task, or returns null when this build has none of its type.</summary>
    public static Driver? Create(DriverContext context) =>
        Makers.TryGetValue(context.Task.DriverType, out Func<DriverContext, Driver>? make) ? make(context) : null;
}
