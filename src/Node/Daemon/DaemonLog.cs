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

    [LoggerMessage(523, LogLevel.Information,
        "apps of the config and of the state folder: {Added} came, {Changed} changed, {Removed} went, {Failed} failed")]
    public static partial void Applied(ILogger log, int added, int changed, int removed, int failed);

    [LoggerMessage(524, LogLevel.Error, "reload: {Problem}")]
    public static partial void ReloadProblem(ILogger log, string problem);

    [LoggerMessage(525, LogLevel.Warning,
        "reload: the key {Key} of the config has changed; that takes a restart, and is as it was until then")]
    public static partial void TakesRestart(ILogger log, string key);

    [LoggerMessage(625, LogLevel.Warning,
        "app {App} of the cluster does not run here, because this node alone has an app of this name: 'app delete' ends that one")]
    public static partial void ClusterIsHidden(ILogger log, string app);

    [LoggerMessage(526, LogLevel.Warning, "app {App}: the kept one is left alone while the config names an app of this name ({File})")]
    public static partial void StoredIsHidden(ILogger log, string app, string file);

    [LoggerMessage(527, LogLevel.Information, "control: {Endpoint}")]
    public static partial void ControlListens(ILogger log, string endpoint);

    [LoggerMessage(528, LogLevel.Warning,
        "systemd could not be told {Key}: {Reason}; it may think that the node does not come up or is dead")]
    public static partial void NotifyFailed(ILogger log, string key, string reason);

    [LoggerMessage(529, LogLevel.Error,
        "an event loop has not come round for {Seconds} s: a handler on it is stuck; systemd's watchdog ends the node unless it goes on")]
    public static partial void LoopStuck(ILogger log, double seconds);

    [LoggerMessage(534, LogLevel.Warning, "app {App} comes up paused, as it was left: 'app resume {App}' makes it take jobs")]
    public static partial void StartsPaused(ILogger log, string app);

    [LoggerMessage(535, LogLevel.Warning, "state: {Path} pauses nothing: {Reason}. Delete it")]
    public static partial void PausesNothing(ILogger log, string path, string reason);

    [LoggerMessage(536, LogLevel.Warning, "app {App}: its pause cannot be forgotten; it may come up paused at the next start: {Reason}")]
    public static partial void PauseStays(ILogger log, string app, string reason);

    [LoggerMessage(537, LogLevel.Error, "app {App} failed in a way that nobody expected. Please report this with the stack")]
    public static partial void Fault(ILogger log, Exception fault, string app);
}
