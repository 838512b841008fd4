using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>Handlers that wait until the test lets them go on, and do not read meanwhile.</summary>
public sealed class Holding(AppIdentity identity)
{
    private static readonly ConcurrentDictionary<string, TaskCompletionSource> Gates = new();

    /// <summary>Lets the handlers of a slave go on, on the thread pool.</summary>
    public static void Open(string uuid) => GateOf(uuid).SetResult();

    /// <summary>Reads and answers how much it was.</summary>
    [Event("sum")]
    public async ValueTask Sum(Request request, Response response)
    {
        response.Write("holding"u8);
        await GateOf(identity.Uuid).Task;
        long bytes = 0;
        while (await request.ReadAsync() is { } chunk)
        {
            bytes += chunk.Length;
        }

        await response.WriteAsync(Encoding.UTF8.GetBytes(bytes.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Ends without a look at its request.</summary>
    [Event("leaves")]
    public async ValueTask Leave(Request request, Response response)
    {
        response.Write("holding"u8);
        await GateOf(identity.Uuid).Task;
    }

    [Event("echo")]
    public byte[] Echo(byte[] request) => request;

    private static TaskCompletionSource GateOf(string uuid) =>
        Gates.GetOrAdd(uuid, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
