using Cocaine.Fast.Bench.Headline;

namespace Cocaine.Fast.Bench.Defaults;

/// <summary>The figures of an app, beside those of another one, or of the same one with another manifest.</summary>
/// <param name="Row">The figures of the app.</param>
/// <param name="Beside">The other figures, of the same minutes; null for an app that only others are compared with.</param>
internal sealed record Reading(Row Row, Row? Beside)
{
    /// <summary>Requests/s, as a part of those beside it.</summary>
    public double Speed => Beside is null ? double.NaN : Row.RequestsPerSecond.Median / Beside.RequestsPerSecond.Median;

    /// <summary>CPU of the node per request, as a part of that beside it.</summary>
    public double NodeCpu => Beside is null ? double.NaN : Row.RootCpuPerMillion.Median / Beside.RootCpuPerMillion.Median;
}
