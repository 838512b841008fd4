using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.FileSystem;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Drivers.Raw;
using Cocaine.Fast.Drivers.Timers;
using Cocaine.Fast.Drivers.ZeroMq;

namespace Cocaine.Fast.Drivers;

/// <summary>Every driver of this build. A new driver is one folder, whose entry has all facts about it, and one line here.</summary>
internal static class DriverRegistry
{
    /// <summary>The drivers in the order of lists for people.</summary>
    private static readonly DriverEntry[] Entries =
    [
        NativeDrivers.Server(overZeroMq: static context => new ZeroMqNativeServer(context)),
        NativeDrivers.Sink(overZeroMq: static context => new ZeroMqNativeSink(context)),
        RecurringTimerDriver.Entry,
        DriftingTimerDriver.Entry,
        CronDriver.Entry,
        ManualSchedulerDriver.Entry,
        FileSystemMonitor.Entry,
        ZeroMqServer.Entry,
        ZeroMqSink.Entry,
        ZeroMqSubscriber.Entry,
        LsdServer.Entry,
        RawDriver.Entry,
    ];

    private static readonly Dictionary<string, DriverEntry> ByType = Entries.ToDictionary(entry => entry.Type, StringComparer.Ordinal);

    /// <summary>The drivers that manifests may name.</summary>
    public static DriverTable Table { get; } = new(Entries);

    /// <summary>Makes the driver of a task; null when neither this build nor the embedding program has a driver of its type.</summary>
    public static Driver? Create(DriverContext context, IReadOnlyDictionary<string, Func<CustomDriver>> custom)
    {
        string type = context.Task.DriverType;
        return ByType.TryGetValue(type, out DriverEntry? entry) ? entry.Make(context)
            : custom.TryGetValue(type, out Func<CustomDriver>? makeCustom) ? new CustomDriverHost(context, makeCustom()) : null;
    }

    /// <summary>A task with the defaults of its driver, also when it was made in code.</summary>
    public static TaskManifest Complete(TaskManifest task) => task with { Driver = ByType.GetValueOrDefault(task.DriverType) };

    /// <summary>Clients of docs/protocol.md can call the task's events.</summary>
    public static bool ServesNative(TaskManifest task) => ServiceOf(task) == NativeService.Serves;

    /// <summary>Clients of docs/protocol.md can connect to the task.</summary>
    public static bool SpeaksNative(TaskManifest task) => ServiceOf(task) != NativeService.None;

    /// <summary>The task has a ZeroMQ socket that peers connect to.</summary>
    public static bool BindsZeroMq(TaskManifest task) =>
        ByType.TryGetValue(task.DriverType, out DriverEntry? entry) && entry.ZeroMqName(task.Keys) is not null
        && !entry.Connects(task.Keys);

    private static NativeService ServiceOf(TaskManifest task) =>
        ByType.TryGetValue(task.DriverType, out DriverEntry? entry) && entry.ZeroMqName(task.Keys) is null
            ? entry.Native : NativeService.None;
}
