using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Long;

/// <summary>
/// The headline's long payloads alone, in longer windows and with more rounds: each language's worker beside the echo in C and that of
/// .NET's own sockets. It is for those who work at the copies, and want an answer in two minutes.
/// </summary>
internal sealed class LongSuite : IDisposable
{
    private const int Rounds = 5;
    private const double FirstWarmSeconds = 2.5, WarmSeconds = 0.3, MeasureSeconds = 1.5;

    private readonly AgentProcess _agent = AgentProcess.Start();
    private readonly BenchSystem[] _systems =
    [
        .. Catalog.Ours().Where(system => system.Name is Catalog.Thread or Catalog.DotNet),
        new OurNode("dotnet", "thread").Named("thread, TCP, handler of a span", "mirror"),
        new OurNode("dotnet", "process").Named("process .NET, TCP, handler of a span", "mirror"),
        new OurNode("cpp", "process").Named("process C++, TCP"),
        new OurNode("python", "process").Named("process Python, TCP"),
        new OurNode("javascript", "process") { Pipe = false }.Named("process JavaScript, TCP"),
        new OurNode("perl", "process") { Pipe = false }.Named("process Perl, TCP"),
        .. Catalog.Limits().Where(system => system.Name is Catalog.CEcho or Catalog.EventArgsEcho),
    ];

    /// <summary>Measures the systems in turns, and prints a row for each; 1 when an answer was wrong.</summary>
    /// <param name="sizesKiB">Payloads in KiB; none: 64.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> sizesKiB)
    {
        await OurNode.BuildAsync();
        using LongSuite suite = new();
        foreach (BenchSystem system in suite._systems)
        {
            if (await system.StartAsync() is { } why)
            {
                Console.Error.WriteLine($"{system.Name}: {why}");
                return 1;
            }

            await suite.MeasureAsync(system, Shape.Main, FirstWarmSeconds, 0.2);
        }

        bool isRight = true;
        Console.WriteLine("| shape | server | requests/s | p99 µs | CPU s per million | : C echo | MiB | bytes allocated a request |");
        Console.WriteLine("| --- | --- | --: | --: | --: | --: | --: | --: |");
        foreach (int sizeKiB in sizesKiB.Count == 0 ? [64] : sizesKiB.Select(int.Parse))
        {
            isRight &= await suite.MeasureAsync(new Shape(32, 8, sizeKiB << 10, Field.OursAndLimits));
        }

        return isRight ? 0 : 1;
    }

    public void Dispose()
    {
        Parallel.ForEach(_systems, system => system.Dispose());
        _agent.Dispose();
    }

    private async Task<bool> MeasureAsync(Shape shape)
    {
        List<LoadFigures>[] runs = [.. _systems.Select(_ => new List<LoadFigures>())];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < _systems.Length; i++)
            {
                runs[i].Add(await MeasureAsync(_systems[i], shape, WarmSeconds, MeasureSeconds));
            }
        }

        Row[] rows = [.. _systems.Zip(runs, (system, all) => Row.Of(system.Name, shape.ToString(), all))];
        double echo = rows.First(row => row.System == Catalog.CEcho).ServerCpuPerMillion.Median;
        foreach (Row row in rows)
        {
            string cpu = row.ServerCpuPerMillion.Show("F1");
            double? bytes = row.AllocatedBytesPerRequest?.Median;
            double ratio = row.ServerCpuPerMillion.Median / echo, mib = row.RssMiB.Median;
            string server = $"| {shape} | {row.System}";
            Console.WriteLine(row.Error.Length > 0 ? $"{server} | {row.Error} |" : FormattableString.Invariant(
                $"{server} | {row.RequestsPerSecond.Median:F0} | {row.P99Us.Median:F0} | {cpu} | {ratio:F2} | {mib:F0} | {bytes:F1} |"));
        }

        return rows.All(row => row.Wrong == 0 && row.Error.Length == 0);
    }

    private Task<LoadFigures> MeasureAsync(BenchSystem system, Shape shape, double warm, double seconds) =>
        _agent.AskAsync(system.Spec(shape.Connections, shape.InFlight, shape.SizeBytes, seconds, warm));
}
