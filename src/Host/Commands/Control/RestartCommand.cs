using System.CommandLine;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast app restart APP</c>: an app's code, loaded anew.</summary>
internal static class RestartCommand
{
    public static Command Create()
    {
        Argument<string?> app = ControlCommands.AppOrAll("The app's name");
        Option<bool> all = new("--all") { Description = "Every app of the node, one after the other" };
        Option<bool> json = ControlCommands.Json();
        Command command = new(
            "restart",
            "Load an app's code anew, without losing a job: new slaves come up beside the old ones and take over. When they do not come "
            + "up, the old ones go on, and the command exits with 1. The running manifest stays; a paused app stays paused.\n\n"
            + "Example:\n  cocaine-fast app restart echo") { app, all, json };
        command.Check(given => given.GetValue(app) is null == given.GetValue(all) ? null : "name an app, or give --all");
        return command.With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            bool asJson = parsed.GetValue(json);
            if (!parsed.GetValue(all))
            {
                ReplaceOutcome outcome = await node.RestartAsync(parsed.GetValue(app)!, stop);
                Print(outcome, asJson);
                return outcome.Replaced ? ExitCodes.Ok : ExitCodes.Failed;
            }

            bool failed = false;
            foreach (AppSummary one in await node.ListAsync(stop)) // one at a time: each takes the memory of its slaves twice
            {
                failed |= !await RestartAsync(node, one.App, asJson, stop);
            }

            return failed ? ExitCodes.Failed : ExitCodes.Ok;
        });
    }

    /// <summary>Restarts one app of several: a refusal does not keep the other apps from their restart.</summary>
    private static async Task<bool> RestartAsync(NodeControlClient node, string app, bool json, CancellationToken stop)
    {
        ReplaceOutcome outcome;
        try
        {
            outcome = await node.RestartAsync(app, stop);
        }
        catch (CocaineException refusal)
        {
            outcome = new ReplaceOutcome(app, 0, 0, false, refusal.Message, Task.CompletedTask);
        }

        Print(outcome, json);
        return outcome.Replaced;
    }

    private static void Print(ReplaceOutcome outcome, bool json)
    {
        if (json)
        {
            ControlCommands.PrintLine(new
            {
                outcome.App,
                Version = outcome.ToVersion,
                Restarted = outcome.Replaced,
                outcome.Reason,
                outcome.Note,
            });
            return;
        }

        if (outcome.Replaced)
        {
            Console.WriteLine($"restarted app={outcome.App} version={outcome.ToVersion}");
        }
        else
        {
            string reason = PlainText.Indented(outcome.Reason ?? "its new slaves did not come up");
            Complaint.Say($"app {outcome.App} was not restarted, and runs unchanged: {reason}");
        }

        if (outcome.Note is { } note)
        {
            Complaint.Say($"app {outcome.App}: {PlainText.Indented(note)}");
        }
    }
}
