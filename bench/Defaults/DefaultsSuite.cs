using System.Text;
using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Defaults;

/// <summary>
/// The echo of each language with the manifest of somebody's first day, which says next to nothing. Beside it, in turns, the same app with
/// a high concurrency; then more and more slaves; then quick jobs beside a slow one.
/// </summary>
internal sealed class DefaultsSuite : IDisposable
{
    private const int Rounds = 3, Connections = 32, InFlight = 8, SizeBytes = 64;

    /// <summary>As in the headline.</summary>
    private const double FirstWarmSeconds = 2.5, WarmSeconds = 0.3, MeasureSeconds = 0.8;

    /// <summary>Two of the slow jobs lie in it, wherever it begins.</summary>
    private const double SlowSeconds = 2, BesideSlowSeconds = 2 * SlowSeconds;

    private readonly AgentProcess _agent = AgentProcess.Start();
    private readonly List<string> _missing = [];

    /// <summary>Measures all, prints the table and the aims.</summary>
    public static async Task<int> RunAsync()
    {
        await OurNode.BuildAsync();
        DefaultFigures figures = await MeasureAsync();
        Console.WriteLine(DefaultsReport.Text(figures));
        return figures.IsRight ? 0 : 1;
    }

    /// <summary>Measures all.</summary>
    public static async Task<DefaultFigures> MeasureAsync()
    {
        using DefaultsSuite suite = new();
        (string Name, OurNode Node)[] languages =
        [
            ("Python", new OurNode("python", "process")),
            (".NET thread", new OurNode("dotnet", "thread")),
            (".NET process", new OurNode("dotnet", "process")),
            ("C++", new OurNode("cpp", "process")),
            ("JavaScript", new OurNode("javascript", "process")),
            ("Perl", new OurNode("perl", "process")),
        ];
        List<Reading> readings = [];
        foreach ((string name, OurNode node) in languages)
        {
            Row[] rows = await suite.InTurnsAsync(
                (node with { Concurrency = 256 }).Named($"{name}, concurrency 256"),
                node.WithDefaults().Named($"{name}, default manifest"));
            readings.AddRange(rows.Length == 2 ? [new Reading(rows[1], rows[0]), new Reading(rows[0], null)] : []);
        }

        List<Reading> slaves = [];
        foreach ((string name, OurNode node) in languages[..3])
        {
            Row[] rows = await suite.InTurnsAsync([.. new[] { 1, 2, 4, 8 }.Select(count =>
                node.WithDefaults(count).Named($"{name}, {(count == 1 ? "1 slave" : $"{count} slaves")}"))]);
            slaves.AddRange(rows.Select((row, i) => new Reading(row, i == 0 ? null : rows[i - 1])));
        }

        return new DefaultFigures(readings, slaves, await suite.BesideSlowAsync(), suite._missing);
    }

    public void Dispose() => _agent.Dispose();

    /// <summary>Starts the systems, and measures them in turns; none when one of them does not start.</summary>
    private async Task<Row[]> InTurnsAsync(params BenchSystem[] systems)
    {
        try
        {
            foreach (BenchSystem system in systems)
            {
                if (!await StartAsync(system))
                {
                    return [];
                }
            }

            List<LoadFigures>[] runs = [.. systems.Select(_ => new List<LoadFigures>())];
            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < systems.Length; i++)
                {
                    runs[i].Add(await AskAsync(systems[i], MeasureSeconds));
                }
            }

            return [.. systems.Zip(runs, (system, all) => RowOf(system.Name, all))];
        }
        finally
        {
            Parallel.ForEach(systems, system => system.Dispose());
        }
    }

    /// <summary>Quick jobs of four slaves, first without, then with a slow job in one of them all the time; in turns.</summary>
    private async Task<Reading?> BesideSlowAsync()
    {
        using BenchSystem system = new OurNode("python", "process").WithDefaults(4).Named("Python, 4 slaves");
        if (!await StartAsync(system))
        {
            return null;
        }

        await using CocaineClient client = await CocaineClient.ConnectAsync(system.Endpoints[0]);
        List<LoadFigures> alone = [], beside = [];
        for (int round = 0; round < Rounds; round++)
        {
            alone.Add(await AskAsync(system, BesideSlowSeconds));
            Task<LoadFigures> quick = AskAsync(system, BesideSlowSeconds);
            while (!quick.IsCompleted)
            {
                await client.CallAsync("slow", Encoding.UTF8.GetBytes($"{SlowSeconds}"));
            }

            beside.Add(await quick);
        }

        return new Reading(RowOf($"{system.Name}, beside a job of {SlowSeconds} s", beside), RowOf(system.Name, alone));
    }

    private async Task<bool> StartAsync(BenchSystem system)
    {
        if (await system.StartAsync() is { } why)
        {
            _missing.Add($"{system.Name}: {why}");
            return false;
        }

        Console.Error.WriteLine($"measuring {system.Name}");
        await _agent.AskAsync(system.Spec(Connections, InFlight, SizeBytes, 0.2, FirstWarmSeconds));
        return true;
    }

    private Task<LoadFigures> AskAsync(BenchSystem system, double seconds) =>
        _agent.AskAsync(system.Spec(Connections, InFlight, SizeBytes, seconds, WarmSeconds));

    private static Row RowOf(string name, List<LoadFigures> runs) =>
        Row.Of(name["cocaine-fast ".Length..], $"{Connections}×{InFlight}, {SizeBytes} B", runs);
}
