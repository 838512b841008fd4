using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>Every system with every shape, in turns on one machine: A B C, A B C, A B C.</summary>
internal sealed class HeadlineSuite : IDisposable
{
    private const int Rounds = 3;
    private const double MeasureSeconds = 0.8, WarmSeconds = 0.15, FirstWarmSeconds = 1.5;

    private readonly List<BenchSystem> _systems = [];
    private readonly List<string> _missing = [];
    private AgentProcess _agent = null!;

    public static async Task<int> RunAsync()
    {
        using HeadlineSuite suite = new();
        long start = Stopwatch.GetTimestamp();
        await suite.StartAsync();
        List<Row> rows = [];
        foreach (Shape shape in Shape.All)
        {
            rows.AddRange(await suite.MeasureAsync(shape));
        }

        List<(string What, double Ms)> starts = await StartTimes.MeasureAsync();
        Report.Write(rows, starts, suite._missing, Stopwatch.GetElapsedTime(start));
        return rows.TrueForAll(row => row.Wrong == 0) ? 0 : 1;
    }

    public void Dispose()
    {
        _systems.ForEach(system => system.Dispose());
        _agent?.Dispose();
    }

    private async Task StartAsync()
    {
        _agent = await AgentProcess.StartAsync();
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

        // Once for everyone before anything counts: the runtime compiles what is hot.
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
        for (int round = 0; round < Rounds; round++)
        {
            foreach (BenchSystem system in systems)
            {
                Pin(system, shape.OneCpu);
                runs[system].Add(await MeasureOneAsync(system, shape, WarmSeconds, MeasureSeconds));
            }
        }

        return [.. systems.Select(system => Row.Of(system.Name, shape.ToString(), runs[system]))];
    }

    private Task<LoadFigures> MeasureOneAsync(BenchSystem system, Shape shape, double warm, double seconds) => system.Protocol == "wrk"
        ? WrkLoad.MeasureAsync(system, shape, seconds)
        : _agent.AskAsync(new LoadSpec(
            shape.IsStream ? "blob" : system.Protocol, system.Endpoint, shape.Connections, shape.InFlight, shape.SizeBytes, seconds, warm,
                system.Pids));

    /// <summary>Client and server on CPU 0, or on all.</summary>
    private void Pin(BenchSystem system, bool oneCpu)
    {
        string cpus = oneCpu ? "0" : $"0-{Environment.ProcessorCount - 1}";
        foreach (int pid in (int[])[.. system.AllPids(), _agent.Pid])
        {
            using Process taskset = Process.Start(new ProcessStartInfo("taskset",
                ["-acp", cpus, $"{pid}"])
            { RedirectStandardOutput = true })!;
            taskset.WaitForExit();
        }
    }
}

/// <summary>The client's process, from the suite's side.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly Process _process;

    private AgentProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    public static Task<AgentProcess> StartAsync()
    {
        bool hosted = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal);
        ProcessStartInfo start = new(Environment.ProcessPath!,
            [.. hosted ? [typeof(AgentProcess).Assembly.Location] : (string[])[], "agent"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return Task.FromResult(new AgentProcess(Process.Start(start)!));
    }

    public async Task<LoadFigures> AskAsync(LoadSpec spec)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(spec));
        await _process.StandardInput.FlushAsync();
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return line is null ? LoadFigures.Failed("the load agent ended") : JsonSerializer.Deserialize<LoadFigures>(line)!;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }
}
