using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Cocaine.Fast.Bench.Systems;
using Perfolizer.Horology;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>Each part of the request path beside what else does its job, with BenchmarkDotNet.</summary>
internal static class MicroSuite
{
    private static readonly Type[] Benchmarks =
    [
        typeof(DecodeBenchmarks), typeof(EncodeBenchmarks), typeof(RingBenchmarks), typeof(DoorbellBenchmarks), typeof(PostBenchmarks),
        typeof(QueueBenchmarks), typeof(DeadlineBenchmarks), typeof(HistogramBenchmarks), typeof(PercentileBenchmarks),
        typeof(ChannelTableBenchmarks),
    ];

    public static int Run(string[] arguments)
    {
        // In this process and with short iterations: all of it ends in a few minutes. BenchmarkDotNet's own options make them longer.
        Job job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(4).WithIterationCount(7).WithIterationTime(TimeInterval.FromMilliseconds(150));
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddExporter(MarkdownExporter.GitHub)
            .AddLogger(ConsoleLogger.Default)
            .WithArtifactsPath(Path.Combine(Catalog.Root, "artifacts/bench/micro"))
            .WithOptions(ConfigOptions.DisableLogFile);
        string[] all = arguments.Contains("--filter") ? arguments : [.. arguments, "--filter", "*"];
        Summary[] summaries = [.. BenchmarkSwitcher.FromTypes(Benchmarks).Run(all, config)];
        foreach (Summary summary in summaries)
        {
            MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Default); // all tables together, below the runs
        }

        return summaries.Length > 0 && summaries.All(summary => summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
