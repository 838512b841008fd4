using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast app replace MANIFEST</c>: another version of an app, on a node or over a cluster.</summary>
internal static class ReplaceCommand
{
    private static readonly string[] Waits = ["all", "one", "none"];

    public static Command Create()
    {
        Argument<string> file = AppCommand.File();
        Option<bool> force = new("--force") { Description = "Replace also when the version is not higher than the running one" };
        Option<string> wait = new("--wait")
        {
            Description = "In a cluster: until all nodes have the version, until one has proven it, or none",
            DefaultValueFactory = _ => "all",
        };
        wait.Check(Waits.Contains, "--wait is all, one or none");
        PackOptions pack = new();
        Option<bool> json = ControlCommands.Json();
        return pack.AddTo(new Command(
            "replace",
            "Replace the running version of an app, without losing a job. When the new version does not come up, the old one goes on, "
            + "and the command exits with 1. In a cluster the version comes from node to node, and when it fails on one, all go back; the "
            + "command prints a line for each node that has it, and the rollout goes on without the command.") { file, force, wait, json })
            .Example("cocaine-fast app replace examples/echo/manifest.json --force")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                if (AppCommand.Manifest(parsed.GetValue(file)!) is not { } read
                    || await pack.SendAsync(parsed, read, node, stop) is not { } manifest)
                {
                    return ExitCodes.Invalid;
                }

                bool asJson = parsed.GetValue(json);
                ReplaceOutcome outcome = await node.ReplaceAsync(manifest, parsed.GetValue(force), stop);
                return outcome.IsRollout ? await FollowAsync(node, outcome, parsed.GetValue(wait)!, asJson, stop) : Print(outcome, asJson);
            });
    }

    private static async Task<int> FollowAsync(
        NodeControlClient node, ReplaceOutcome outcome, string wait, bool json, CancellationToken stop)
    {
        string app = outcome.App;
        if (wait == "none")
        {
            if (json)
            {
                ControlCommands.PrintJson(new { outcome.App, outcome.FromVersion, outcome.ToVersion, Rolling = true });
            }
            else
            {
                Console.WriteLine($"rolling app={app} from={outcome.FromVersion} to={outcome.ToVersion}");
            }

            return ExitCodes.Ok;
        }

        RolloutEnd end = await RolloutFollower.FollowAsync(node, outcome, wait == "one", isSilent: json, stop);
        return Print(outcome with { Replaced = end.Reason is null, Reason = end.Reason }, json, end.State);
    }

    private static int Print(ReplaceOutcome outcome, bool json, string? state = null)
    {
        if (json)
        {
            ControlCommands.PrintJson(
                new { outcome.App, outcome.FromVersion, outcome.ToVersion, outcome.Replaced, outcome.Reason, Rollout = state });
        }
        else if (outcome.Replaced)
        {
            Console.WriteLine($"replaced app={outcome.App} from={outcome.FromVersion} to={outcome.ToVersion}");
        }
        else if (state is null or "rolled-back")
        {
            string why = state is null ? $"did not come up, {outcome.FromVersion} goes on"
                : $"failed, all nodes go on with {outcome.FromVersion}";
            Complaint.Say($"version {outcome.ToVersion} of {outcome.App} {why}: {PlainText.Indented(outcome.Reason ?? "")}");
        }
        else
        {
            Complaint.Say(
                $"the rollout of version {outcome.ToVersion} of {outcome.App} is {state}: {PlainText.Indented(outcome.Reason ?? "")}\n"
                + $"'app rollout {outcome.App}' shows it; --go lets it go on, and --back takes all nodes back to {outcome.FromVersion}");
        }

        return outcome.Replaced ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
