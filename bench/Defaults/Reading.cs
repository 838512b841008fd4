using Cocaine.Fast.Bench.Headline;

namespace Cocaine.Fast.Bench.Defaults;

/// <summary>One app as it was measured, beside what it is compared with.</summary>
/// <param name="Row">Its figures.</param>
/// <param name="Beside">Those of what it is compared with, in the same minutes; null for what others are compared with.</param>
internal sealed record Reading(Row Row, Row? Beside)
{
    /// <summary>Requests/s, as a part of those beside it.</summary>
    public double Speed => Beside is null ? double.NaN : Row.RequestsPerSecond.Median / Beside.RequestsPerSecond.Median;

    /// <summary>CPU of the node per request, as a part of that beside it.</summary>
    public double NodeCpu => Beside is null ? double.NaN : Row.RootCpuPerMillion.Median / Beside.RootCpuPerMillion.Median;
}
