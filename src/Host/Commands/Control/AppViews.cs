using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>The commands of <c>app</c> that only show something.</summary>
internal static class AppViews
{
    /// <summary>The list of apps.</summary>
    internal static Columns<AppSummary> AppColumns { get; } = new(
        new("app", app => app.App),
        new("version", app => Text(app.Version)) { Drop = 7, IsRight = true },
        new("state", app => app.State),
        new("slaves", app => Text(app.Slaves)) { Drop = 2, IsRight = true },
        new("busy", app => Text(app.Busy)) { Drop = 5, IsRight = true },
        new("queued", app => Text(app.Queued)) { Drop = 1, IsRight = true },
        new("done", app => Text(app.Done)) { Drop = 6, IsRight = true },
        new("failed", app => Text(app.Failed)) { Drop = 4, IsRight = true },
        new("endpoints", app => string.Join(" ", app.Endpoints)) { Drop = 3, Short = FirstEndpoint },

        // The last line that a worker wrote before it ended is usually the most useful one.
        new("reason", app => app.Reason is { } why ? why.TrimEnd().Split('\n')[^1] : "") { IsNote = true });

    /// <summary>One endpoint, and the number of the others: usually 127.0.0.1 and [::1] have the same port.</summary>
    private static string FirstEndpoint(AppSummary app) =>
        app.Endpoints.Count <= 1 ? string.Concat(app.Endpoints) : $"{app.Endpoints[0]} +{app.Endpoints.Count - 1}";

    public static Command Info()
    {
        Argument<string?> app = ControlCommands.AppOrAll("The app's name; without one, the node");
        Option<bool> all = InfoCommand.All();
        Option<bool> cluster = OfCluster();
        Option<bool> json = ControlCommands.Json();
        return new Command("info", "Show the state of an app: problems, queue, slaves, latencies, errors by code.")
            { app, all, cluster, json }
            .Example("cocaine-fast app info echo")
            .With(ControlCommands.Node(), (parsed, node, stop) => parsed.GetValue(cluster)
                ? ShowClusterAsync(node, parsed.GetValue(app), parsed.GetValue(json), isWide: parsed.GetValue(all), stop)
                : InfoCommand.ShowAsync(
                    () => node.InfoJsonAsync(parsed.GetValue(app), stop), parsed.GetValue(all), parsed.GetValue(json), stop));
    }

    private static Option<bool> OfCluster() => new("--cluster") { Description = "The apps of the cluster, with a row for each node" };

    private static async Task<int> ShowClusterAsync(
        NodeControlClient node, string? app, bool json, bool isWide, CancellationToken stop)
    {
        RolloutCommand.Print(await node.ClusterAppsAsync(app, stop), json, isWide);
        return ExitCodes.Ok;
    }

    public static Command List()
    {
        Option<bool> wide = Wide();
        Option<bool> cluster = OfCluster();
        Option<bool> json = ControlCommands.Json();
        return new Command("list", "List the apps, also those that could not be started.") { wide, cluster, json }
            .Example("cocaine-fast app list --wide")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                if (parsed.GetValue(cluster))
                {
                    return await ShowClusterAsync(node, app: null, parsed.GetValue(json), parsed.GetValue(wide), stop);
                }

                IReadOnlyList<AppSummary> apps = await node.ListAsync(stop);
                if (parsed.GetValue(json))
                {
                    ControlCommands.PrintJson(apps);
                }
                else
                {
                    AppColumns.Write(apps, Screen.Current.Wide(parsed.GetValue(wide)));
                }

                return ExitCodes.Ok;
            });
    }

    public static Command Logs()
    {
        Argument<string> app = ControlCommands.App();
        Option<bool> follow = Follow();
        Option<bool> json = ControlCommands.Json();
        return new Command("logs", "Show the output of an app's workers, standard output and standard error.") { app, follow, json }
            .Example("cocaine-fast app logs echo -f")
            .With(ControlCommands.Node(), (parsed, node, stop) => ControlCommands.FollowAsync(
                node.LogsAsync(parsed.GetValue(app)!, parsed.GetValue(follow), stop),
                parsed.GetValue(json) ? ControlCommands.PrintLine : Print));
    }

    public static Option<bool> Follow() => new("--follow", "-f") { Description = "Go on with new lines, until interrupted" };

    /// <summary>The option that every list has.</summary>
    public static Option<bool> Wide() => new("--wide") { Description = "Show every column and cut nothing, whatever the width" };

    public static void PrintLost(long lost)
    {
        if (lost > 0)
        {
            Console.WriteLine($"({lost} are missing here: they came faster than they were read)");
        }
    }

    private static void Print(LogLine line)
    {
        PrintLost(line.Lost);
        string time = When.Moment(line.Time, Screen.Current), text = PlainText.OneLine(line.Text);
        Console.WriteLine($"{time}  {line.Slave}  {(line.IsError ? "err" : "out")}  {text}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
