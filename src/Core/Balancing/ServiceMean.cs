namespace Cocaine.Fast.Core.Balancing;

/// <summary>
/// A running mean of the times of jobs. The last jobs count most, so that it follows a change of the load within seconds.
/// </summary>
internal sealed class ServiceMean
{
    /// <summary>The weight of one job: the last fifty make two thirds of the mean, enough that one long job does not move it.</summary>
    private const double Weight = 0.02;

    private double _ns;

    /// <summary>The mean, ns; 0 before the first job.</summary>
    public long Ns => (long)_ns;

    /// <summary>One more job has ended.</summary>
    /// <param name="ns">Its time on a slave, ns.</param>
    public void Add(long ns) => _ns = _ns == 0 ? ns : _ns + (Weight * (ns - _ns));
}
