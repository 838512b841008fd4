using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>The keys of drivers on ZeroMQ sockets.</summary>
internal static class ZeroMqKeys
{
    public static readonly KeySpec Backlog =
        new("backlog", KeyKind.Integer, "messages that may wait (high-water mark)", "1000") { Min = 1 };

    public static readonly KeySpec Linger = new("linger", KeyKind.Milliseconds, "how long unsent messages are kept at the close", "0");
}
