using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Host.Lifetime;
using Cocaine.Fast.Host.Logs;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Web;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Serving;

/// <summary>A daemon as a process: its signals, its log, and its messages to systemd.</summary>
/// <param name="configFile">The file of the config; null = none.</param>
/// <param name="config">The config with the words of the command line.</param>
/// <param name="overrides">The words of the command line, which hold over each later config too.</param>
internal sealed class Server(string? configFile, NodeConfig config, ServeOverrides overrides)
{
    private readonly LogSwitch _switch = new(config.LogLevel);

    // One waiting request stands for all that come meanwhile: the config is read when its turn comes.
    private readonly Channel<bool> _reloads = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        AllowSynchronousContinuations = true, // continues on the thread that writes or cancels, not on the pool, which may be full
    });

    /// <summary>Runs until a signal ends the daemon; returns the exit code.</summary>
    public async Task<int> RunAsync()
    {
        using ILoggerFactory? logging = CreateLog();
        if (logging is null)
        {
            return ExitCodes.Failed;
        }

        ILogger log = logging.CreateLogger("cocaine-fast");
        using SystemdNotifier notifier = SystemdNotifier.OfProcess(log);
        using NodeSignals signals = new(log, onHangUp: () => _reloads.Writer.TryWrite(true));
        await using Announcer announcer = new(log);
        NodeDaemon daemon = new(config, logging, ownsProcess: true);
        daemon.AppStarted += announcer.Follow;
        IAsyncDisposable? web = null;
        int code = ExitCodes.Ok;
        try
        {
            NodeReadiness.Prepare();
            if (ConfigSecrets.Problem(configFile, config) is { } problem)
            {
                throw new NodeException(problem);
            }

            await daemon.StartAsync(signals.Stop);
            web = config.Web is { } door ? await OpenWebAsync(daemon, door, log) : null;
            notifier.Ready(daemon.Status);
            HostLog.Serving(log, daemon.Status);
            await ServeAsync(daemon, notifier, log, signals.Stop);
        }
        catch (Exception failure) when (NodeReadiness.IsFailedStart(failure))
        {
            HostLog.CannotStart(log, failure.Message);
            code = ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            // stopped before it was up, or the usual end
        }

        NodeReadiness.OpenReserve();
        notifier.Stopping();
        if (code == ExitCodes.Ok)
        {
            HostLog.Stopping(log, signals.Cause, daemon.DrainTimeout.TotalSeconds);
        }

        await (web?.DisposeAsync() ?? ValueTask.CompletedTask); // its listeners are on the loops
        await daemon.StopAsync(daemon.DrainTimeout, signals.StopNow);
        HostLog.Stopped(log);
        return signals.StopNow.IsCancellationRequested ? ExitCodes.Failed : code;
    }

    /// <summary>A method of its own: a process without this door loads nothing of it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<IAsyncDisposable> OpenWebAsync(NodeDaemon daemon, WebConfig config, ILogger log) =>
        await WebDoor.OpenAsync(daemon, config, log);

    /// <summary>The log; null when the file of the audit cannot be used, which is logged.</summary>
    private ILoggerFactory? CreateLog()
    {
        try
        {
            return Logging.Create(_switch, config.LogFormat, config.AuditFile);
        }
        catch (IOException failure)
        {
            using ILoggerFactory plain = Logging.Create(_switch, config.LogFormat);
            HostLog.CannotStart(plain.CreateLogger("cocaine-fast"), failure.Message);
            return null;
        }
    }

    private async Task ServeAsync(NodeDaemon daemon, SystemdNotifier notifier, ILogger log, CancellationToken stop)
    {
        Task watchdog = SystemdNotifier.WatchdogInterval() is { } interval
            ? Watchdog.RunAsync(daemon.Node.PingAsync, notifier, interval, log, stop) : Task.CompletedTask;
        while (!stop.IsCancellationRequested)
        {
            await _reloads.Reader.ReadAsync(stop);
            notifier.Reloading();
            await ReloadAsync(daemon, log, stop);
            notifier.Ready(daemon.Status);
        }

        await watchdog;
    }

    private async Task ReloadAsync(NodeDaemon daemon, ILogger log, CancellationToken stop)
    {
        ServeLog.Reloading(log, configFile ?? "the manifests of the apps");
        ConfigResult read = configFile is null ? new ConfigResult(config, []) : ConfigReader.ReadFile(configFile);
        if (read.Config is not { } own)
        {
            ServeLog.ConfigIsWrong(log, string.Join('\n', read.Problems));
            return;
        }

        NodeConfig next = overrides.Over(own);

        if (ConfigSecrets.Problem(configFile, next) is { } problem)
        {
            ServeLog.ConfigIsWrong(log, problem);
            return;
        }

        _switch.Level = next.LogLevel;
        try
        {
            await daemon.ReloadAsync(next, stop);
        }
        catch (Exception fault) when (fault is not (OutOfMemoryException or OperationCanceledException))
        {
            ServeLog.ReloadFault(log, fault);
        }
    }
}
