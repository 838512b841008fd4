using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Client;

/// <summary>The event loop that the connections of this process share; the first connection starts it.</summary>
internal static class ClientLoop
{
    private static readonly Lazy<EventLoop> Loop = new(() =>
    {
        EventLoop loop = new(NullLogger.Instance);
        loop.Start("cocaine-client");
        return loop;
    });

    public static EventLoop Shared => Loop.Value;
}
