using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast app rollout APP</c>: an app of the cluster on all nodes, and the way of another version to them.</summary>
internal static class RolloutCommand
{
    /// <summary>An app on a node, as a row of a list.</summary>
    /// <param name="App">The app.</param>
    /// <param name="Node">The node; null when no node runs the app.</param>
    internal sealed record Row(ClusterAppAnswer App, ClusterAppNode? Node);

    /// <summary>The list of apps on nodes.</summary>
    internal static Columns<Row> AppColumns { get; } = new(
        new("app", row => row.App.App),
        new("node", row => row.Node?.Node ?? "none"),
        new("generation", row => Text(row.Node?.Generation)) { Drop = 6, IsRight = true },
        new("version", row => Text(row.Node?.Version)) { Drop = 1, IsRight = true },
        new("state", row => row.Node?.State ?? ""),
        new("rollout", RolloutOf) { Drop = 2 },
        new("lease", row => row.Node is { } node && node.Node == row.App.LeaseHolder ? "holds" : "") { Drop = 3 },
        new("done", row => Text(row.Node?.Done)) { Drop = 5, IsRight = true },
        new("failed", row => Text(row.Node?.Failed)) { Drop = 4, IsRight = true },
        new("reason", row => row.Node?.Reason is { } why ? why.TrimEnd().Split('\n')[^1] : "") { IsNote = true });

    public static Command Create()
    {
        Argument<string> app = ControlCommands.App();
        Option<bool> stop = new("--stop") { Description = "Stop the rollout: nodes that have the version keep it" };
        Option<bool> back = new("--back") { Description = "Take all nodes back to the version before, at once" };
        Option<bool> go = new("--go") { Description = "Let a rollout that was stopped go on" };
        Option<bool> json = ControlCommands.Json();
        Command command = new(
            "rollout",
            "Show an app of the cluster on all nodes, and how far another version of it is; or stop it, let it go on, or take it back.\n\n"
            + "Examples:\n  cocaine-fast app rollout echo\n  cocaine-fast app rollout echo --stop") { app, stop, back, go, json };
        command.Check(given => ((bool[])[given.GetValue(stop), given.GetValue(back), given.GetValue(go)]).Count(one => one) > 1
            ? "give one of --stop, --back and --go" : null);
        return command.With(ControlCommands.Node(), async (parsed, node, end) =>
        {
            string action = parsed.GetValue(stop) ? "stop" : parsed.GetValue(back) ? "back" : parsed.GetValue(go) ? "go" : "show";
            Print([await node.RolloutAsync(parsed.GetValue(app)!, action, end)], parsed.GetValue(json), isWide: false);
            return ExitCodes.Ok;
        });
    }

    /// <summary>Prints apps of the cluster: a row for each app and node, and a line for the rollout of a single app.</summary>
    /// <param name="apps">The apps.</param>
    /// <param name="json">As JSON.</param>
    /// <param name="isWide">Every column, whatever the width.</param>
    public static void Print(IReadOnlyList<ClusterAppAnswer> apps, bool json, bool isWide)
    {
        if (json)
        {
            ControlCommands.PrintJson(apps);
            return;
        }

        if (apps.Any(app => !app.IsAttached))
        {
            Complaint.Say("the cluster's engine cannot be reached: this is as it was last heard, and rollouts stand still");
        }

        if (apps is [{ Rollout: { } rollout } one])
        {
            string reason = rollout.Reason is { } why ? $": {PlainText.OneLine(why)}" : "";
            Console.WriteLine($"rollout of {one.App} from version {rollout.From} to {rollout.To} is {rollout.State}{reason}");
        }

        IEnumerable<Row> RowsOf(ClusterAppAnswer app) =>
            app.Nodes.Count == 0 ? [new Row(app, null)] : app.Nodes.Select(node => new Row(app, node));
        Row[] rows = [.. apps.SelectMany(RowsOf)];
        AppColumns.Write(rows, Screen.Current.Wide(isWide));
    }

    private static string RolloutOf(Row row) => row.Node?.Rollout ?? (row.App.Rollout is { } rollout ? rollout.State : "");

    private static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
