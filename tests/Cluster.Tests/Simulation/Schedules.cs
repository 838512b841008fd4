using System.Globalization;

namespace Cocaine.Fast.Cluster.Tests.Simulation;

/// <summary>
/// Runs schedules from their seeds. A failure names its seed; <c>COCAINE_SIM_SEED=N</c> runs that one alone, <c>COCAINE_SIM_COUNT</c> sets how
/// many are run.
/// </summary>
internal static class Schedules
{
    private const int Count = 100_000;

    public static bool IsTraced { get; } = Environment.GetEnvironmentVariable("COCAINE_SIM_SEED") is { Length: > 0 };

    public static void RunAll(Func<ulong, IReadOnlyDictionary<string, int>> run)
    {
        if (IsTraced)
        {
            run(ulong.Parse(Environment.GetEnvironmentVariable("COCAINE_SIM_SEED")!, CultureInfo.InvariantCulture));
            return;
        }

        int count = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_SIM_COUNT"), out int asked) ? asked : Count;
        Dictionary<string, long> seen = [];
        (ulong Seed, string Broken)? first = null;
        Parallel.For(1, count + 1, (seed, state) =>
        {
            try
            {
                IReadOnlyDictionary<string, int> events = run((ulong)seed);
                lock (seen)
                {
                    foreach ((string name, int times) in events)
                    {
                        seen[name] = seen.GetValueOrDefault(name) + times;
                    }
                }
            }
            catch (Exception broken)
            {
                lock (seen)
                {
                    first = first is { } earlier && earlier.Seed < (ulong)seed ? earlier : ((ulong)seed, broken.ToString());
                }

                state.Break(); // smaller seeds are still run: the smallest is reported
            }
        });
        Assert.True(first is null, $"COCAINE_SIM_SEED={first?.Seed}\n{first?.Broken}");
        Assert.NotEmpty(seen);
        Assert.DoesNotContain(seen, pair => pair.Value == 0); // a promise that was never tried is not proven
    }

    /// <summary>A fault that is built in must be seen in most runs of a few hundred, and by the check that is meant for it.</summary>
    public static void MustBeSeen(Func<ulong, object> run, string expected, int fewest = 5)
    {
        int seen = 0;
        for (ulong seed = 1; seed <= 3000 && seen < fewest; seed++)
        {
            try
            {
                run(seed);
            }
            catch (BrokenPromise broken)
            {
                Assert.Matches(expected, broken.Message);
                seen++;
            }
        }

        Assert.True(seen >= fewest, $"the fault was seen {seen} times");
    }
}
