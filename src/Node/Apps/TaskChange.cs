using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.ZeroMq;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The change of an app's tasks when another version takes over. It is first prepared, and then done or given up.</summary>
internal sealed class TaskChange(AppManifest next, AppEngine engine)
{
    public AppManifest Next => next;

    public AppEngine Engine => engine;

    /// <summary>All tasks of the next version, in its order.</summary>
    public List<AppTask> Tasks { get; } = [];

    /// <summary>Tasks that are the same in both versions: they keep driver, listener and connections.</summary>
    public List<AppTask> Kept { get; } = [];

    /// <summary>New tasks that are open.</summary>
    public List<AppTask> Opened { get; } = [];

    /// <summary>New tasks that open when their predecessors have closed.</summary>
    public List<AppTask> Late { get; } = [];

    /// <summary>Tasks of the version before that end.</summary>
    public List<AppTask> Outgoing { get; } = [];

    /// <summary>The monitoring socket of the next version.</summary>
    public ZeroMqPublisher? Publisher { get; set; }

    /// <summary>The monitoring socket differs from that of the version before.</summary>
    public bool HasOtherPublisher { get; set; }

    /// <summary>The socket of the version before, when it ends.</summary>
    public ZeroMqPublisher? OutgoingPublisher { get; set; }
}
