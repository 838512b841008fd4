using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Reload;

/// <summary>What the node gives to an app, the same for all of its versions.</summary>
/// <param name="Loop">Where it lives.</param>
/// <param name="ZeroMq">The node's ZeroMQ thread, made when first asked for.</param>
/// <param name="CustomDrivers">Drivers of the embedding program.</param>
/// <param name="Log">The app's log.</param>
internal sealed record AppParts(
    EventLoop Loop, Func<ZeroMqPoller> ZeroMq, IReadOnlyDictionary<string, Func<CustomDriver>> CustomDrivers, ILogger Log);
