using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>Warns of the ends of certificates: once 14 days, 3 days and a day before, and once after. One caller at a time.</summary>
internal sealed class EndWarnings(ILogger log)
{
    /// <summary>Days before an end: time to plan, time to act, and the last chance.</summary>
    private static readonly int[] Days = [14, 3, 1, 0];

    private readonly Dictionary<string, int> _said = []; // the least days that were said, by certificate or list

    /// <summary>Looks at the certificates of the node, and at its list of revoked clients.</summary>
    public void Look(TlsContexts files, string? crlFile)
    {
        DateTimeOffset now = NowUtc();
        foreach (CertificateFacts one in files.Certificates)
        {
            if (TrySay($"{one.File} {one.SerialHex}", one.NotAfter - now, out int days))
            {
                if (days == 0)
                {
                    CertificateLog.Ended(log, one.File, one.NotAfter);
                }
                else
                {
                    CertificateLog.Ends(log, one.File, one.NotAfter, days);
                }
            }
        }

        if (files.Revoked.EndsAt is { } end && TrySay($"{crlFile} {end:O}", end - now, out int left))
        {
            if (left == 0)
            {
                CertificateLog.CrlEnded(log, crlFile!, end);
            }
            else if (left == 1)
            {
                CertificateLog.CrlEnds(log, crlFile!, end);
            }
        }
    }

    /// <summary>The present time; another one in tests.</summary>
    internal Func<DateTimeOffset> NowUtc { get; init; } = static () => DateTimeOffset.UtcNow;

    private bool TrySay(string what, TimeSpan left, out int days)
    {
        days = -1;
        foreach (int one in Days)
        {
            days = left <= TimeSpan.FromDays(one) ? one : days; // they fall, so the last one that fits is the nearest
        }

        if (days < 0 || (_said.TryGetValue(what, out int said) && said <= days))
        {
            return false;
        }

        _said[what] = days;
        return true;
    }
}
