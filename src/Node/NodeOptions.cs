using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node;

/// <summary>The settings of a node. Every member has a useful default.</summary>
public sealed class NodeOptions
{
    /// <summary>The default endpoint of the locator.</summary>
    public const string DefaultLocator = "tcp://lo:10053";

    /// <summary>Event loops, which share the apps; 0 = half of the cores, at least 1.</summary>
    public int Loops { get; init; }

    /// <summary>The locator's endpoint, or null for none. Default <see cref="DefaultLocator"/>.</summary>
    public string? Locator { get; init; } = DefaultLocator;

    /// <summary>The locator's TLS, by <see cref="SecurityConfig.Tls"/>; a Unix socket has none.</summary>
    public DoorTls LocatorTls { get; init; }

    /// <summary>
    /// The endpoint of the service <c>node</c> of Cocaine 0.12, or null for none, the default. Anybody with a connection may pause and
    /// resume apps.
    /// </summary>
    public string? NodeService { get; init; }

    /// <summary>The folder for data that outlives the node; null = no such data is kept.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>
    /// The folder of the job records that <c>cocaine-fast why</c> reads. It should be in memory, because the write-back of a disk holds up
    /// the loops. Null = <c>cocaine-fast/ledger</c> in /run (root) or XDG_RUNTIME_DIR, or a folder of the user's in /dev/shm.
    /// </summary>
    public string? LedgerDirectory { get; init; }

    /// <summary>The folder of the workers' sockets, where only this user and root may write; null = the default of docs/node.md.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>The folder with the SDKs (<c>python/</c>, <c>dotnet/</c>); null = <c>workers</c> beside the program or above it.</summary>
    public string? SdkDirectory { get; init; }

    /// <summary>The folder of the RSA keys of sealed jobs, as docs/security.md has it; null = no sealed jobs.</summary>
    public string? KeysDirectory { get; init; }

    /// <summary>How long a loop looks for work before it sleeps, µs. 0 = not at all: right when there are few cores.</summary>
    public int LoopSpinMicroseconds { get; init; }

    /// <summary>
    /// Drivers of the embedding program, by their type in manifests; each task of that type gets a driver of its own. A type that the node
    /// already has is refused.
    /// </summary>
    public IReadOnlyDictionary<string, Func<CustomDriver>> Drivers { get; init; } = new Dictionary<string, Func<CustomDriver>>();

    /// <summary>
    /// Gives the right to make the jobs of a task of the node's cluster, by the app, the task and the task's loop; null = nobody is asked.
    /// </summary>
    internal Func<string, string, EventLoop, ISingleton?> Singletons { get; init; } = static (_, _, _) => null;

    /// <summary>True when the process ends with this node. The node then also takes the ends of orphans of its workers.</summary>
    public bool OwnsProcess { get; init; }

    /// <summary>The known callers and their rights; by default there are none, and each door is as open as its endpoint.</summary>
    public SecurityConfig Security { get; init; } = new();

    /// <summary>Makes the logs; by default nothing is logged.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
