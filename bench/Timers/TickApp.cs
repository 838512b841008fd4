using System.Diagnostics;
using Cocaine.Fast.Worker;

namespace Cocaine.Fast.Bench.Timers;

/// <summary>The app behind the timers: answers with the time at which its code began to run.</summary>
public sealed class TickApp
{
    [Event("tick")]
    public ValueTask Tick(Request request, Response response)
    {
        response.Write(BitConverter.GetBytes(Stopwatch.GetTimestamp()));
        return default;
    }
}
