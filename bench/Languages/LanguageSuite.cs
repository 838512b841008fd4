using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Languages;

/// <summary>The echo of each language's SDK under the same load, in turns, on both pipes where it has both.</summary>
internal static class LanguageSuite
{
    private const int Rounds = 3, Connections = 32, InFlight = 8, SizeBytes = 64;
    private const double FirstWarmSeconds = 2.5, WarmSeconds = 0.3, MeasureSeconds = 1.5;

    /// <summary>Runs all; 1 when an answer was wrong or an aim is not met.</summary>
    public static async Task<int> RunAsync()
    {
        await OurNode.BuildAsync();
        using AgentProcess agent = AgentProcess.Start();
        List<Language> languages = [];
        try
        {
            foreach (Language language in Language.All())
            {
                if (await language.System.StartAsync() is { } why)
                {
                    Console.Error.WriteLine($"{language.System.Name}: not measured: {why}");
                    language.System.Dispose();
                    continue;
                }

                Console.Error.WriteLine($"warming up {language.System.Name}");
                languages.Add(language);
                await MeasureAsync(agent, language.System, FirstWarmSeconds, 0.2);
            }

            Dictionary<Language, List<LoadFigures>> runs = languages.ToDictionary(language => language, _ => new List<LoadFigures>());
            for (int round = 0; round < Rounds; round++)
            {
                foreach (Language language in languages)
                {
                    runs[language].Add(await MeasureAsync(agent, language.System, WarmSeconds, MeasureSeconds));
                }
            }

            return Print(languages.ConvertAll(language => (language, Row.Of(language.System.Name, "", runs[language]))));
        }
        finally
        {
            languages.ForEach(language => language.System.Dispose());
        }
    }

    private static Task<LoadFigures> MeasureAsync(AgentProcess agent, BenchSystem system, double warm, double seconds) =>
        agent.AskAsync(system.Spec(Connections, InFlight, SizeBytes, seconds, warm));

    private static int Print(List<(Language Language, Row Row)> rows)
    {
        Console.WriteLine(
            $"echo of {SizeBytes} B, {Connections} connections with {InFlight} in flight, one slave; medians of {Rounds} (min..max); "
            + Machine.Describe());
        Console.WriteLine("| language | requests/s | p50 µs | node s/M | worker s/M | RSS of both, MiB | aim |");
        Console.WriteLine("| --- | --: | --: | --: | --: | --: | --- |");
        double reference = rows.Find(one => one.Language.IsReference).Row?.RequestsPerSecond.Median ?? double.NaN;
        bool good = true;
        foreach ((Language language, Row row) in rows)
        {
            double rate = row.RequestsPerSecond.Median;
            double least = language.LeastOfReference > 0 ? language.LeastOfReference * reference : language.LeastRequests;
            bool isMet = row.Wrong == 0 && row.Error.Length == 0 && !(rate < least);
            string aim = double.IsNaN(least) || least == 0 ? "" : $"≥ {least:N0}: {(isMet ? "met" : "NOT met")}";
            Console.WriteLine($"| {row.System["cocaine-fast ".Length..]} | {row.RequestsPerSecond.Show("N0")} | {row.P50Us.Show("F0")} | "
                + $"{row.RootCpuPerMillion.Show("F2")} | {row.ServerCpuPerMillion.Median - row.RootCpuPerMillion.Median:F2} | "
                + $"{row.RssMiB.Show("F0")} | {(row.Error.Length > 0 ? row.Error : aim)} |");
            good &= isMet;
        }

        return good ? 0 : 1;
    }
}
