using System.Diagnostics;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>From the exec of the program to its line that says ready, and to the first answer of its app, ms.</summary>
internal sealed record StartTime(string What, Figure ReadyMs, Figure AnsweredMs);

/// <summary>What is measured beside requests: starts, and what an idle connection costs.</summary>
/// <param name="Starts">Start times.</param>
/// <param name="Idle">Memory of idle connections.</param>
internal sealed record Extras(IReadOnlyList<StartTime> Starts, IdleMemory Idle)
{
    private const int Runs = 5, IdleConnectionCount = 10_000;

    public const string PythonStart = "Python echo", ThreadStart = ".NET thread echo";

    public static async Task<Extras> MeasureAsync()
    {
        IdleMemory idle;
        using (BenchSystem system = new OurNode("dotnet", "thread").Named("idle"))
        {
            await system.StartAsync();
            await using IdleConnections connections = new(system);
            idle = await connections.MeasureAsync(IdleConnectionCount);
        }

        return new Extras(
            [
                await StartAsync(PythonStart, new OurNode("python", "process")),
                await StartAsync(ThreadStart, new OurNode("dotnet", "thread")),
            ],
            idle);
    }

    private static async Task<StartTime> StartAsync(string what, OurNode node)
    {
        List<double> ready = [], answered = [];
        for (int i = 0; i < Runs; i++)
        {
            using BenchSystem system = node.Named(what);
            long start = Stopwatch.GetTimestamp();
            if (await system.StartAsync() is { } why)
            {
                throw new IOException($"{what}: {why}");
            }

            ready.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await using CocaineClient client = await CocaineClient.ConnectAsync(system.Endpoints[0]);
            await client.CallAsync("echo", new byte[1]);
            answered.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return new StartTime(what, Figure.Of(ready), Figure.Of(answered));
    }
}
