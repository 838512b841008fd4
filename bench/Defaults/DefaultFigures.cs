using Cocaine.Fast.Bench.Headline;

namespace Cocaine.Fast.Bench.Defaults;

/// <summary>All that was measured of the default manifest.</summary>
/// <param name="Languages">Each language with the default manifest, beside the same app with a high concurrency.</param>
/// <param name="Slaves">Apps with more and more slaves, each beside the one with fewer.</param>
/// <param name="BesideSlow">Quick jobs beside a slow one, beside the same without it; null when not measured.</param>
/// <param name="Missing">What could not be measured, and why.</param>
internal sealed record DefaultFigures(
    IReadOnlyList<Reading> Languages, IReadOnlyList<Reading> Slaves, Reading? BesideSlow, IReadOnlyList<string> Missing)
{
    /// <summary>Requests/s of the default manifest, at the least, as a part of those with a high concurrency.</summary>
    private const double LeastSpeed = 0.8;

    /// <summary>CPU of the node with the default manifest, at the most, as a part of that with a high concurrency.</summary>
    private const double MostNodeCpu = 1.25;

    /// <summary>Requests/s at the least, as a part of those with fewer slaves.</summary>
    private const double LeastSpeedOfMore = 0.9;

    /// <summary>The delay that a slow job may add to the p99.9 of quick ones.</summary>
    private const double MostAddedUs = 5000;

    /// <summary>Requests/s of quick jobs beside a slow one, at the least.</summary>
    private const double LeastBesideSlow = 200_000;

    public IEnumerable<Reading> All => [.. Languages, .. Slaves, .. BesideSlow is null ? (Reading[])[] : [BesideSlow]];

    /// <summary>No answer was another request's.</summary>
    public bool IsRight => All.All(reading => reading.Row.Wrong == 0);

    public IEnumerable<Aim> Aims()
    {
        foreach (Reading one in Languages.Where(reading => reading.Beside is not null))
        {
            yield return Aim.AtLeast($"{one.Row.System}: requests/s / those of concurrency 256", LeastSpeed, one.Speed, "F2");
            yield return Aim.AtMost($"{one.Row.System}: CPU of the node / that of concurrency 256", MostNodeCpu, one.NodeCpu, "F2");
        }

        foreach (Reading one in Slaves.Where(reading => reading.Beside is not null))
        {
            yield return Aim.AtLeast($"{one.Row.System}: requests/s / those of {one.Beside!.System}", LeastSpeedOfMore, one.Speed, "F2");
        }

        double added = BesideSlow is null ? double.NaN : BesideSlow.Row.P999Us.Median - BesideSlow.Beside!.P999Us.Median;
        yield return Aim.AtMost("quick jobs beside one of 2 s, Python, 4 slaves: µs added to p99.9", MostAddedUs, added, "N0");
        yield return Aim.AtLeast("quick jobs beside one of 2 s, Python, 4 slaves: requests/s", LeastBesideSlow,
            BesideSlow?.Row.RequestsPerSecond.Median ?? double.NaN, "N0");
    }
}
