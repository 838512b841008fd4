using System.Diagnostics;
using Cocaine.Fast.Bench.Defaults;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>Every system with every shape, in turns on one machine: A B C, A B C, A B C.</summary>
internal sealed class HeadlineSuite : IDisposable
{
    private const int Rounds = 3;

    /// <summary>
    /// Long enough for the 10 ms of /proc to be 2 % of what is read, short enough for all of it to stay below six minutes.
    /// </summary>
    private const double MeasureSeconds = 0.8;

    /// <summary>Connections fill their buffers, and the client's code for this system gets hot again.</summary>
    private const double WarmSeconds = 0.15;

    /// <summary>The runtime compiles a method in two steps, the second after some 100 ms without new ones; once for each server.</summary>
    private const double FirstWarmSeconds = 2.5;

    private readonly List<BenchSystem> _systems = [];
    private readonly List<string> _missing = [];
    private readonly AgentProcess _agent = AgentProcess.Start();

    public static async Task<int> RunAsync()
    {
        await OurNode.BuildAsync();
        await Setup.InstallAsync();
        long start = Stopwatch.GetTimestamp();
        DefaultFigures defaults = await DefaultsSuite.MeasureAsync();
        List<Row> rows = [];
        List<string> missing;
        using (HeadlineSuite suite = new())
        {
            await suite.StartAsync();
            missing = suite._missing;
            foreach (Shape shape in Shape.All)
            {
                rows.AddRange(await suite.MeasureAsync(shape));
            }
        }

        Console.Error.WriteLine("measuring idle connections and starts");
        Extras extras = await Extras.MeasureAsync();
        Report.Write(defaults, rows, extras, missing, Stopwatch.GetElapsedTime(start));
        return defaults.IsRight && rows.TrueForAll(row => row.Wrong == 0) ? 0 : 1;
    }

    public void Dispose()
    {
        Parallel.ForEach(_systems, system => system.Dispose());
        _agent.Dispose();
    }

    private async Task StartAsync()
    {
        foreach (BenchSystem system in (BenchSystem[])[.. Catalog.Ours(), .. Catalog.Limits(), .. Catalog.Rivals()])
        {
            if (await system.StartAsync() is { } why)
            {
                _missing.Add($"{system.Name}: {why}");
                Console.Error.WriteLine(_missing[^1]);
                system.Dispose();
            }
            else
            {
                _systems.Add(system);
            }
        }

        foreach (BenchSystem system in _systems)
        {
            Console.Error.WriteLine($"warming up {system.Name}");
            await MeasureOneAsync(system, Shape.Main, FirstWarmSeconds, 0.2);
        }
    }

    private async Task<List<Row>> MeasureAsync(Shape shape)
    {
        BenchSystem[] systems = [.. _systems.Where(shape.Takes)];
        Dictionary<BenchSystem, List<LoadFigures>> runs = systems.ToDictionary(system => system, _ => new List<LoadFigures>());
        Console.Error.WriteLine($"measuring {shape}");
        Cpus.Pin([.. systems.SelectMany(system => ProcessTree.All(system.Pids)), _agent.Pid], shape.Cpus);
        for (int round = 0; round < Rounds; round++)
        {
            foreach (BenchSystem system in systems)
            {
                runs[system].Add(await MeasureOneAsync(system, shape, WarmSeconds, MeasureSeconds));
            }
        }

        return [.. systems.Select(system => Row.Of(system.Name, shape.ToString(), runs[system]))];
    }

    private Task<LoadFigures> MeasureOneAsync(BenchSystem system, Shape shape, double warm, double seconds) => system.Protocol == "wrk"
        ? WrkLoad.MeasureAsync(system, shape.Connections)
        : _agent.AskAsync(system.Spec(
            shape.Connections, shape.InFlight, shape.SizeBytes, seconds, warm, shape.IsStream ? "blob" : null));
}
