using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast health [APP]</c>: a check for monitors and load balancers, by its exit code.</summary>
internal static class HealthCommand
{
    private const double UsualTimeout = 5;

    public static Command Create()
    {
        Argument<string?> app = ControlCommands.AppOrAll("Only this app");
        Option<bool> serving = new("--serving") { Description = "An app that takes no new jobs (paused, draining) is not healthy either" };
        Option<double> timeout = new("--timeout")
        {
            Description = "Seconds for the node to answer",
            DefaultValueFactory = _ => UsualTimeout,
        };
        timeout.Check(seconds => seconds is > 0 and <= 3600, "--timeout is seconds, more than 0 and at most 3600");
        Option<bool> json = ControlCommands.Json();
        Command command = new(
            "health",
            "Say by the exit code whether all apps run: 0 all run, 1 an app is broken or could not be started, 3 no node answers in time. "
            + "The command prints each app that is not healthy, with its reason.\n\n"
            + "Example:\n  cocaine-fast health echo --serving --timeout 2")
        {
            app, serving, timeout, json,
        };
        return command.With(
            ControlCommands.Node(),
            async (parsed, node, stop) => Report(
                await node.ListAsync(stop).WaitAsync(stop), parsed.GetValue(app), parsed.GetValue(serving), parsed.GetValue(json)),
            parsed => TimeSpan.FromSeconds(parsed.GetValue(timeout)));
    }

    private static int Report(IReadOnlyList<AppSummary> apps, string? name, bool serving, bool json)
    {
        AppSummary[] asked = [.. apps.Where(app => name is null || app.App == name)];
        if (name is not null && asked.Length == 0)
        {
            Complaint.Say($"no app {PlainText.OneLine(name)} runs here");
            return ExitCodes.Failed;
        }

        AppSummary[] ill = [.. asked.Where(app => !IsHealthy(app, serving))];
        if (json)
        {
            var all = asked.Select(app => new { app.App, app.State, Healthy = !ill.Contains(app), Reason = ReasonOf(app) });
            ControlCommands.PrintJson(new { Healthy = ill.Length == 0, Apps = all });
        }
        else if (ill.Length == 0)
        {
            Console.WriteLine($"healthy apps={asked.Length}");
        }

        foreach (AppSummary app in json ? [] : ill)
        {
            string reason = ReasonOf(app) is { } why ? $": {why}" : "";
            Console.WriteLine($"{PlainText.OneLine(app.App)} {app.State}{reason}");
        }

        return ill.Length == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>
    /// A paused or deleted app is in the state that an operator wants, and a restart would not change it: only senders of jobs need to
    /// know.
    /// </summary>
    private static bool IsHealthy(AppSummary app, bool serving) => app.State switch
    {
        "running" or "replacing" => true,
        "paused" or "draining" => !serving,
        _ => false,
    };

    /// <summary>The reason on one line: the last line that a worker wrote before it ended is usually the most useful one.</summary>
    private static string? ReasonOf(AppSummary app) => app.Reason is { } why ? PlainText.OneLine(why.TrimEnd().Split('\n')[^1]) : null;
}
