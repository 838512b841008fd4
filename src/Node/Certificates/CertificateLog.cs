using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>The log of the node's certificates.</summary>
internal static partial class CertificateLog
{
    [LoggerMessage(548, LogLevel.Information, "new connections use the certificates of now: {File} and the other files of security.tls")]
    public static partial void Reloaded(ILogger log, string file);

    [LoggerMessage(549, LogLevel.Error, "the certificates stay what they were: {Mistake}")]
    public static partial void StaysAsBefore(ILogger log, string mistake);

    [LoggerMessage(550, LogLevel.Warning, "{File}: the certificate ends at {End:u}, in {Days} days or less: put a new one in its place")]
    public static partial void Ends(ILogger log, string file, DateTimeOffset end, int days);

    [LoggerMessage(551, LogLevel.Error, "{File}: the certificate ended at {End:u}: clients refuse the node until a new one is there")]
    public static partial void Ended(ILogger log, string file, DateTimeOffset end);

    [LoggerMessage(552, LogLevel.Warning,
        "{File}: the list of revoked certificates ends at {End:u}, in a day or less: after that no client of a door with 'mutual' gets in")]
    public static partial void CrlEnds(ILogger log, string file, DateTimeOffset end);

    [LoggerMessage(553, LogLevel.Error,
        "the files of security.tls are not looked at any more: send SIGHUP after a change, and report this")]
    public static partial void NoMoreLooks(ILogger log, Exception fault);

    [LoggerMessage(547, LogLevel.Error,
        "{File}: the list of revoked certificates ended at {End:u}: every client of a door with 'mutual' is refused until a new one is "
        + "there")]
    public static partial void CrlEnded(ILogger log, string file, DateTimeOffset end);
}
