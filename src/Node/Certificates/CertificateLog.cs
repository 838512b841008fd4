using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>The log of the node's certificates.</summary>
internal static partial class CertificateLog
{
    [LoggerMessage(547, LogLevel.Error,
        "{File}: the list of revoked certificates ended at {End:u}: every client of a door with 'mutual' is refused until a new one is "
        + "there")]
    public static partial void CrlEnded(ILogger log, string file, DateTimeOffset end);
}
