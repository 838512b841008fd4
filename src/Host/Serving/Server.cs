using System.Runtime.InteropServices;
using System.Threading.Channels;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Host.Commands;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Daemon;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Serving;

/// <summary>A daemon as a process: its signals, its log, and what systemd hears of it.</summary>
internal sealed class Server(string? configFile, NodeConfig config)
{
    private readonly LogSwitch _switch = new(config.LogLevel);

    // One request that waits stands for all that come meanwhile: the config is read when its turn comes.
    private readonly Channel<bool> _reloads = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
    });

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopNow = new();

    /// <summary>Runs until a signal ends it; the exit code.</summary>
    public async Task<int> RunAsync()
    {
        using ILoggerFactory logging = Logging.Create(_switch, config.LogFormat);
        ILogger log = logging.CreateLogger("cocaine-fast");
        using SystemdNotifier notifier = SystemdNotifier.OfProcess(log);
        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnReload);
        NodeDaemon daemon = new(config, logging, ownsProcess: true);
        daemon.AppStarted += RunCommand.Announce;
        int code = ExitCodes.Ok;
        try
        {
            await daemon.StartAsync(_stop.Token);
            notifier.Ready(daemon.Status);
            HostLog.Serving(log, daemon.Status);
            await ServeAsync(daemon, notifier, log);
        }
        catch (NodeException failure)
        {
            HostLog.CannotStart(log, failure.Message);
            code = ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            // stopped before it was up
        }

        notifier.Stopping();
        if (code == ExitCodes.Ok)
        {
            HostLog.Stopping(log, daemon.DrainTimeout.TotalSeconds);
        }

        await daemon.StopAsync(daemon.DrainTimeout, _stopNow.Token);
        HostLog.Stopped(log);
        return _stopNow.IsCancellationRequested ? ExitCodes.Failed : code;
    }

    private async Task ServeAsync(NodeDaemon daemon, SystemdNotifier notifier, ILogger log)
    {
        Task watchdog = SystemdNotifier.WatchdogInterval() is { } interval
            ? Watchdog.RunAsync(daemon.Node.PingAsync, notifier, interval, log, _stop.Token) : Task.CompletedTask;
        while (!_stop.IsCancellationRequested)
        {
            await _reloads.Reader.ReadAsync(_stop.Token);
            notifier.Reloading();
            await ReloadAsync(daemon, log);
            notifier.Ready(daemon.Status);
        }

        await watchdog;
    }

    private async Task ReloadAsync(NodeDaemon daemon, ILogger log)
    {
        ServeLog.Reloading(log, configFile ?? "the manifests of the apps");
        ConfigResult read = configFile is null ? new ConfigResult(config, []) : ConfigReader.ReadFile(configFile);
        if (read.Config is not { } next)
        {
            ServeLog.ConfigIsWrong(log, string.Join('\n', read.Problems));
            return;
        }

        _switch.Level = next.LogLevel;
        try
        {
            await daemon.ReloadAsync(next, _stop.Token);
        }
        catch (Exception fault) when (fault is not (OutOfMemoryException or OperationCanceledException))
        {
            ServeLog.ReloadFault(log, fault);
        }
    }

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested)
        {
            _stopNow.Cancel();
        }

        _stop.Cancel();
    }

    private void OnReload(PosixSignalContext context)
    {
        context.Cancel = true;
        _reloads.Writer.TryWrite(true);
    }
}
