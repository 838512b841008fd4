using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// The headers of jobs that one node of a cluster makes. By <c>lease_term</c> a worker that writes somewhere refuses jobs of an older
/// holder; <c>scheduled_time</c> is the time that was claimed for the job.
/// </summary>
internal static class LeaseHeaders
{
    /// <summary>Room for the headers: each has its name, 8 bytes and at most 5 more.</summary>
    public const int MaxBytes = 64;

    /// <summary>Writes the headers of a job.</summary>
    /// <param name="to">Gets them.</param>
    /// <param name="term">The term.</param>
    /// <param name="timeMs">The claimed time, ms since 1970; 0 when there is none.</param>
    public static ReadOnlySpan<byte> Write(Span<byte> to, long term, long timeMs)
    {
        int at = MsgPackEncoder.WriteArrayHead(to, timeMs > 0 ? 2u : 1u);
        at += HeaderSet.WriteNumber(to[at..], "lease_term"u8, (ulong)term);
        at += timeMs > 0 ? HeaderSet.WriteNumber(to[at..], "scheduled_time"u8, (ulong)timeMs) : 0;
        return to[..at];
    }
}
