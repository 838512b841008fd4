using Cocaine.Fast.Drivers.Custom;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node;

/// <summary>How a node is made. Every member has a default that serves.</summary>
public sealed class NodeOptions
{
    /// <summary>Where the locator listens when nothing else is said.</summary>
    public const string DefaultLocator = "tcp://*:10053";

    /// <summary>Event loops; 0 = half of the cores, at least 1. Apps are spread over them.</summary>
    public int Loops { get; init; }

    /// <summary>The locator's endpoint, or null for none. Default <see cref="DefaultLocator"/>.</summary>
    public string? Locator { get; init; } = DefaultLocator;

    /// <summary>Where the node keeps what outlives it; null = nothing is kept.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>
    /// Where the records of jobs are, which <c>cocaine-fast why</c> reads: a folder in memory, or its write-back holds up the loops. Null =
    /// <c>cocaine-fast/ledger</c> in /run (root) or XDG_RUNTIME_DIR, or a folder of the user's in /dev/shm.
    /// </summary>
    public string? LedgerDirectory { get; init; }

    /// <summary>
    /// The folder of the workers' sockets, which nobody but this user and root may write to; null = the default of docs/node.md.
    /// </summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>The folder with the SDKs (<c>python/</c>, <c>dotnet/</c>); null = <c>workers</c> beside the program or above it.</summary>
    public string? SdkDirectory { get; init; }

    /// <summary>How long a loop looks for work before it sleeps, µs. 0 = not at all: right where cores are few.</summary>
    public int LoopSpinMicroseconds { get; init; }

    /// <summary>
    /// Drivers of the embedding program, by the type that manifests name them with; each task of that type gets one. A name that the node
    /// has a driver for already is refused.
    /// </summary>
    public IReadOnlyDictionary<string, Func<CustomDriver>> Drivers { get; init; } = new Dictionary<string, Func<CustomDriver>>();

    /// <summary>
    /// True when the process ends with this node, and nothing else in it uses NetMQ: the stop then waits until unsent ZeroMQ messages
    /// are out or their linger is over, and shuts NetMQ down. False (default) leaves that to NetMQ's threads, which go on.
    /// </summary>
    public bool OwnsProcess { get; init; }

    /// <summary>Where the log goes; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
