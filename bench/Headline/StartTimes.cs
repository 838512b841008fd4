using System.Diagnostics;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>From the exec of the program to the first answer of its app.</summary>
internal static class StartTimes
{
    private const int Runs = 5;

    public static async Task<List<(string What, double Ms)>> MeasureAsync()
    {
        List<(string, double)> times = [];
        foreach ((string what, string type, string backend) in ((string, string, string)[])[("Python echo", "python",
            "process"), (".NET thread echo", "dotnet", "thread")])
        {
            List<double> runs = [];
            for (int i = 0; i < Runs; i++)
            {
                using BenchSystem system = Catalog.Node(what, type, backend, unix: false);
                long start = Stopwatch.GetTimestamp();
                if (await system.StartAsync() is not null)
                {
                    return times;
                }

                await using CocaineClient client = await CocaineClient.ConnectAsync(system.Endpoint);
                await client.CallAsync("echo", new byte[1]);
                runs.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            times.Add((what, runs.Order().ElementAt(Runs / 2)));
        }

        return times;
    }
}
