using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

internal static partial class DaemonLog
{
    [LoggerMessage(520, LogLevel.Information, "state: removed {File}, which a crash left half written")]
    public static partial void LeftoverRemoved(ILogger log, string file);

    [LoggerMessage(521, LogLevel.Error, "app {App} is skipped: {Reason}")]
    public static partial void AppSkipped(ILogger log, string app, string reason);

    [LoggerMessage(522, LogLevel.Information, "app {App}: version {Version} of {Origin}")]
    public static partial void AppStarted(ILogger log, string app, int version, string origin);

    [LoggerMessage(523, LogLevel.Information, "the config and its manifests were read again: {Changed} apps changed, {Added} came, {Removed} went, "
        + "{Failed} failed")]
    public static partial void Reloaded(ILogger log, int changed, int added, int removed, int failed);

    [LoggerMessage(524, LogLevel.Error, "reload: {Problem}")]
    public static partial void ReloadProblem(ILogger log, string problem);

    [LoggerMessage(525, LogLevel.Warning, "reload: the key {Key} of the config has changed; that takes a restart, and is as it was until then")]
    public static partial void TakesRestart(ILogger log, string key);

    [LoggerMessage(526, LogLevel.Warning, "app {App}: the kept one is left alone while the config names an app of this name ({File})")]
    public static partial void StoredIsHidden(ILogger log, string app, string file);

    [LoggerMessage(527, LogLevel.Information, "control: {Endpoint}")]
    public static partial void ControlListens(ILogger log, string endpoint);
}
