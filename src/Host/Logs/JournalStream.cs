using Cocaine.Fast.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>
/// Writes to a standard error that journald reads. journald takes a priority off the front of each line, sd-daemon(3), by which
/// <c>journalctl -p warning</c> finds lines.
/// </summary>
internal static class JournalStream
{
    /// <summary>
    /// Standard error is the stream that systemd connected to the journal: JOURNAL_STREAM has its device and inode. A program that a
    /// service started with its output elsewhere inherits the variable, but not the stream.
    /// </summary>
    public static bool IsStandardError =>
        EnvironmentNames.Get(EnvironmentNames.Journal)?.Split(':') is [_, string inode]
        && File.ResolveLinkTarget("/proc/self/fd/2", returnFinalTarget: false)?.Name == $"socket:[{inode}]";

    /// <summary>The priorities of syslog(3): 2 is critical, 7 is debugging.</summary>
    public static string Prefix(LogLevel level) => level switch
    {
        LogLevel.Critical => "<2>",
        LogLevel.Error => "<3>",
        LogLevel.Warning => "<4>",
        LogLevel.Information => "<6>",
        _ => "<7>",
    };
}
