using System.Net;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Where a task listens, for its drivers on the app's further loops: they listen nowhere themselves, and get connections from the driver on
/// the app's first loop.
/// </summary>
/// <param name="Addresses">The bound addresses.</param>
internal sealed record HomeEndpoints(IReadOnlyList<EndPoint> Addresses);
