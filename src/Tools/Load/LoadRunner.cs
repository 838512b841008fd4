using System.Diagnostics;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Tools.Load;

/// <summary>The load on an event that echoes.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="Event">The event; its answer must equal the request.</param>
/// <param name="Connections">Connections, 1 or more.</param>
/// <param name="InFlight">Requests in flight on each connection.</param>
/// <param name="SizeBytes">Payload of a request, 8 or more.</param>
/// <param name="Duration">How long requests are sent, after a warm-up of a tenth of it.</param>
public sealed record LoadOptions(string Endpoint, string Event, int Connections, int InFlight, int SizeBytes, TimeSpan Duration)
{
    /// <summary>The settings of the connections; the default has no certificate.</summary>
    public ClientOptions Connecting { get; init; } = new();
}

/// <summary>The measures of a load. Times are in µs, from the writing of a request to the end of its answer.</summary>
public sealed record LoadResult(
    long Requests, double RequestsPerSecond, double P50, double P90, double P99, double P999, double Max,
    long Mismatches, IReadOnlyDictionary<string, long> Errors, double Seconds);

/// <summary>Puts load on a native-server from one thread, and checks each answer against its request.</summary>
public static class LoadRunner
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);

    /// <summary>Runs the load to its end.</summary>
    /// <exception cref="ConnectionLostException">No connection can be made.</exception>
    /// <exception cref="FormatException">The event's name is too long, or a setting of the connections is wrong.</exception>
    public static async Task<LoadResult> RunAsync(LoadOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        LatencyHistogram latencies = new();
        byte[] credential = Credential.Encode(options.Connecting.Token);
        LoadPlan plan = new(OpeningBounds.EncodeName(options.Event), options.InFlight, options.SizeBytes)
        {
            OnAnswer = latencies.Record,
            Headers = credential.Length > 0 ? [0x91, .. credential] : [],
        };
        using EventLoop loop = new(NullLogger.Instance);
        List<(LoadConnection Connection, ServerSocket Server)> connections = [];
        for (int i = 0; i < options.Connections; i++)
        {
            ServerSocket server = await ServerConnector.ConnectAsync(options.Endpoint, options.Connecting, cancellation)
                .ConfigureAwait(false);
            connections.Add((new LoadConnection(loop, server.Descriptor, plan), server));
        }

        loop.Start("cocaine-load");
        loop.Post(() => connections.ForEach(one => one.Connection.Begin(one.Server)));
        await Pause(options.Duration / 10, cancellation).ConfigureAwait(false);
        long start = await OnLoop(loop, () =>
        {
            latencies.Reset();
            return Clock.NowNs;
        }).ConfigureAwait(false);
        await Pause(options.Duration, cancellation).ConfigureAwait(false);
        (long done, double seconds) = await OnLoop(loop, () =>
        {
            plan.IsOver = true;
            return (latencies.Count, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }).ConfigureAwait(false);
        LatencySnapshot latency = await OnLoop(loop, latencies.Snapshot).ConfigureAwait(false);
        await DrainAsync(loop, plan).ConfigureAwait(false);
        return new LoadResult(
            done, done / seconds, latency.P50 / 1e3, latency.P90 / 1e3, latency.P99 / 1e3, latency.P999 / 1e3, latency.Max / 1e3,
            plan.Mismatches, plan.Errors, seconds);
    }

    /// <summary>Waits for the last answers, so that every request is also checked.</summary>
    private static async Task DrainAsync(EventLoop loop, LoadPlan plan)
    {
        long limit = Clock.NowNs + (long)(DrainLimit.TotalSeconds * 1e9);
        while (await OnLoop(loop, () => plan.OpenConnections).ConfigureAwait(false) > 0 && Clock.NowNs < limit)
        {
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    private static async Task Pause(TimeSpan time, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(time, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ended early: the result has everything that was measured until now.
        }
    }

    private static Task<T> OnLoop<T>(EventLoop loop, Func<T> function)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => done.SetResult(function()));
        return done.Task;
    }
}
