using System.CommandLine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Lifetime;
using Cocaine.Fast.Host.Logs;
using Cocaine.Fast.Host.Serving;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Reload;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast run MANIFEST...</c></summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Argument<string[]> files = new("manifest") { Description = "Manifest files", Arity = ArgumentArity.OneOrMore };
        Option<string> locator = new("--locator")
        {
            Description = "The locator's endpoint, or none",
            DefaultValueFactory = _ => NodeOptions.DefaultLocator,
        };
        Option<string?> service = new("--node-service") { Description = "Endpoint of Cocaine's service node; see docs/protocol.md" };
        Option<int> loops = new("--loops") { Description = "Event loops; 0 = half of the cores" };
        Option<string?> state = new("--state") { Description = "Folder for apps and jobs that outlive the node" };
        Option<string?> ledger = new("--ledger-folder") { Description = "Folder for the records of jobs, in memory; see why" };
        Option<string> control = new("--control")
        {
            Description = "Endpoint for commands: ipc:///path, auto (a socket of its own that commands find), or none",
            DefaultValueFactory = _ => RunControl.Auto,
        };
        Option<string?> runtime = new("--runtime-folder") { Description = "Folder for the sockets of workers; see docs/node.md" };
        Option<bool> watch = new("--watch")
        {
            Description = "Replace an app, without losing a job, when its manifest file changes",
        };
        Option<double> drain = new("--drain-timeout")
        {
            Description = "Seconds for jobs to finish when the node stops",
            DefaultValueFactory = _ => 30,
        };
        Option<LogLevel> level = new("--log-level")
        {
            Description = "Least level that is logged",
            DefaultValueFactory = _ => LogLevel.Information,
        };
        Option<string> format = new("--log-format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        Command command = new(
            "run",
            "Run apps until SIGTERM, SIGINT, SIGQUIT or SIGHUP; a second signal stops at once.\n\nExample:\n"
            + "  cocaine-fast run examples/echo/manifest.json --locator none")
        {
            files, locator, service, loops, state, ledger, runtime, control, watch, drain, level, format,
        };
        command.SetAction((parsed, _) =>
        {
            List<AppManifest>? apps = Manifests.Read(parsed.GetValue(files)!);
            if (apps is null)
            {
                return Task.FromResult(ExitCodes.Invalid);
            }

            string at = parsed.GetValue(locator)!;
            NodeOptions Options(ILoggerFactory log) => new()
            {
                Loops = parsed.GetValue(loops),
                Locator = at == "none" ? null : at,
                NodeService = parsed.GetValue(service) is { } place and not "none" ? place : null,
                StateDirectory = parsed.GetValue(state),
                LedgerDirectory = parsed.GetValue(ledger),
                RuntimeDirectory = parsed.GetValue(runtime),
                OwnsProcess = true,
                LoggerFactory = log,
            };
            TimeSpan drainTimeout = TimeSpan.FromSeconds(parsed.GetValue(drain));
            bool watches = parsed.GetValue(watch);
            return Task.FromResult(NodeThreads.RunToEnd(() => RunAsync(
                apps, Options, parsed.GetValue(control)!, watches, drainTimeout, parsed.GetValue(level), parsed.GetValue(format)!)));
        });
        return command;
    }

    private static async Task<int> RunAsync(
        List<AppManifest> apps, Func<ILoggerFactory, NodeOptions> options, string controlAt, bool watch, TimeSpan drainTimeout,
        LogLevel level, string format)
    {
        using ILoggerFactory logging = Logging.Create(level, format);
        ILogger log = logging.CreateLogger("cocaine-fast");
        using NodeSignals signals = new(log);
        await using Announcer announcer = new(log);
        await using CocaineNode node = new(options(logging));
        ControlService? control = null;
        try
        {
            NodeReadiness.Prepare();
            node.Start();
            control = await RunControl.OpenAsync(node, controlAt, log);
            foreach (AppManifest app in apps)
            {
                announcer.Follow(await node.AddAsync(app));
            }

            node.TidyRecords();
        }
        catch (Exception failure) when (NodeReadiness.IsFailedStart(failure))
        {
            HostLog.CannotStart(log, failure.Message);
            await CloseAsync(control);
            await node.StopAsync(drainTimeout, signals.StopNow);
            return ExitCodes.Failed;
        }

        using CancellationTokenSource watching = new();
        Task watches = watch
            ? Task.WhenAll(apps.Select(app => new ManifestWatch(node, app, log).RunAsync(watching.Token))) : Task.CompletedTask;
        await signals.UntilStopAsync();
        NodeReadiness.OpenReserve();
        watching.Cancel();
        await watches;
        HostLog.Stopping(log, signals.Cause, drainTimeout.TotalSeconds);
        await CloseAsync(control);
        await node.StopAsync(drainTimeout, signals.StopNow);
        HostLog.Stopped(log);
        return signals.StopNow.IsCancellationRequested ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>First, because the control service lives on a loop of the node, which ends.</summary>
    private static ValueTask CloseAsync(ControlService? control) => control?.DisposeAsync() ?? ValueTask.CompletedTask;
}
