using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.FileSystem;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Drivers.Raw;
using Cocaine.Fast.Drivers.Timers;
using Cocaine.Fast.Drivers.ZeroMq;

namespace Cocaine.Fast.Drivers;

/// <summary>Every driver by the type that manifests name it with. A new driver is one file and one line here.</summary>
internal static class DriverRegistry
{
    private static readonly Dictionary<string, Func<DriverContext, Driver>> Makers = new(StringComparer.Ordinal)
    {
        ["native-server"] = context => IsOverZeroMq(context.Task) ? new ZeroMqNativeServer(context) : new NativeServer(context),
        ["native-sink"] = context => IsOverZeroMq(context.Task) ? new ZeroMqNativeSink(context) : new NativeSink(context),
        ["recurring-timer"] = context => new RecurringTimerDriver(context),
        ["drifting-timer"] = context => new DriftingTimerDriver(context),
        ["cron"] = context => new CronDriver(context),
        ["manual-scheduler"] = context => new ManualSchedulerDriver(context),
        ["zeromq-server"] = context => new ZeroMqServer(context),
        ["zeromq-sink"] = context => new ZeroMqSink(context),
        ["zeromq-subscriber"] = context => new ZeroMqSubscriber(context),
        ["server+lsd"] = context => new LsdServer(context),
        ["filesystem-monitor"] = context => new FileSystemMonitor(context),
        ["raw-server"] = context => new RawServer(context),
    };

    /// <summary>The types that this build can run.</summary>
    public static IReadOnlyCollection<string> Types => Makers.Keys;

    /// <summary>Makes the driver of a task; null when neither this build nor the embedding program has one of its type.</summary>
    public static Driver? Create(DriverContext context, IReadOnlyDictionary<string, Func<CustomDriver>> custom)
    {
        string type = context.Task.DriverType;
        return Makers.TryGetValue(type, out Func<DriverContext, Driver>? make) ? make(context)
            : custom.TryGetValue(type, out Func<CustomDriver>? makeCustom) ? new CustomDriverHost(context, makeCustom()) : null;
    }

    /// <summary>Clients of docs/protocol.md can call the task's events.</summary>
    public static bool ServesNative(TaskManifest task) => task.DriverType == "native-server" && !IsOverZeroMq(task);

    /// <summary>Clients of docs/protocol.md can connect to the task.</summary>
    public static bool SpeaksNative(TaskManifest task) => task.DriverType is "native-server" or "native-sink" && !IsOverZeroMq(task);

    private static bool IsOverZeroMq(TaskManifest task) =>
        task.Keys.TryGetValue("transport", out object? transport) && transport is "zeromq";
}
