using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The node's options for making apps.</summary>
/// <param name="Logs">Makes the logs of apps.</param>
/// <param name="Drivers">Drivers of the embedding program, by type.</param>
/// <param name="OwnsProcess">The process ends with the node.</param>
/// <param name="SdkDirectory">The folder with the SDKs; null = the default.</param>
/// <param name="RuntimeDirectory">The folder of the workers' sockets; null = the default.</param>
/// <param name="Keeper">The rules of the node's doors.</param>
/// <param name="Seals">The node's sealed jobs.</param>
/// <param name="Tls">The node's TLS, once the node has started.</param>
internal sealed record AppFactorySettings(
    ILoggerFactory Logs, IReadOnlyDictionary<string, Func<CustomDriver>> Drivers, bool OwnsProcess, string? SdkDirectory,
    string? RuntimeDirectory, Doorkeeper Keeper, NodeSeals Seals, Func<NodeTls> Tls)
{
    /// <inheritdoc cref="NodeOptions.Singletons"/>
    public Func<string, string, EventLoop, ISingleton?> Singletons { get; init; } = static (_, _, _) => null;
}
