using System.CommandLine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast app …</c>: the apps of a daemon.</summary>
internal static class AppCommand
{
    public static Command Create() => new(
        "app",
        "Create, change and look at the apps of a node (cocaine-fast serve).\n\nExamples:\n"
        + "  cocaine-fast app create examples/echo/manifest.json\n  cocaine-fast app list\n  cocaine-fast app logs echo -f")
    {
        CreateApp(), ReplaceCommand.Create(), RolloutCommand.Create(), PublishApp(), RestartCommand.Create(), DeleteApp(),
        Simple("pause", "Take no new jobs: callers get 503", "paused", (node, app, stop) =>
            node.PauseAsync(app, stop)),
        Simple("resume", "Take jobs again", "resumed", (node, app, stop) => node.ResumeAsync(app, stop)),
        ScaleApp(), AppViews.Info(), AppViews.List(), AppViews.Logs(),
    };

    private static Command CreateApp()
    {
        Argument<string> file = File();
        Option<bool> noWait = new("--no-wait") { Description = "Return once the app's endpoints listen, even if its code cannot load" };
        PackOptions pack = new();
        Option<bool> local = new("--local") { Description = "For this node alone, although it is in a cluster" };
        Option<bool> json = ControlCommands.Json();
        return pack.AddTo(new Command(
            "create",
            "Start an app and keep it: it is there again after a restart of the node. Waits until its first slave is ready. When "
            + "no slave is ready within the startup-timeout, the command exits with 1; the app stays and goes on trying. In a cluster the "
            + "app is created for all nodes that it means.")
            { file, noWait, local, json })
            .Example("cocaine-fast app create examples/echo/manifest.json")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                if (Manifest(parsed.GetValue(file)!) is not { } read || await pack.SendAsync(parsed, read, node, stop) is not { } manifest)
                {
                    return ExitCodes.Invalid;
                }

                bool waits = !parsed.GetValue(noWait);
                AppSummary app = await node.CreateAsync(manifest, waits, parsed.GetValue(local), stop);
                PrintCreated(app, parsed.GetValue(json));
                if (app.State == "elsewhere")
                {
                    Complaint.Say($"app {app.App} is for other nodes of the cluster: {PlainText.Indented(app.Reason ?? "")}");
                    return ExitCodes.Ok;
                }

                if (!waits || app.Reason is not { } reason)
                {
                    return ExitCodes.Ok;
                }

                Complaint.Say(
                    $"app {app.App} was created, but is not ready: {PlainText.Indented(reason)}\nIt stays and goes on trying: see "
                    + $"'cocaine-fast app logs {app.App}'. 'app replace --force' puts another in its place, 'app delete' ends it");
                return ExitCodes.Failed;
            });
    }

    private static Command PublishApp()
    {
        Argument<string> app = ControlCommands.App();
        Option<bool> force = new("--force") { Description = "Also when the cluster has an app of this name: as its next version" };
        Option<bool> json = ControlCommands.Json();
        return new Command(
            "publish",
            "Make an app that was created on this node alone the cluster's: it comes to all nodes that it means, and goes on here without "
            + "losing a job.") { app, force, json }
            .Example("cocaine-fast app publish echo")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                AppSummary published = await node.PublishAsync(parsed.GetValue(app)!, parsed.GetValue(force), stop);
                ControlCommands.PrintDone(parsed.GetValue(json), "published", published.App);
                if (published.Reason is { } reason)
                {
                    Complaint.Say($"app {published.App} is the cluster's, and not ready here: {PlainText.Indented(reason)}");
                }

                return ExitCodes.Ok;
            });
    }

    private static void PrintCreated(AppSummary app, bool json)
    {
        if (json)
        {
            ControlCommands.PrintJson(app);
            return;
        }

        Console.WriteLine($"created app={app.App} version={app.Version}");
        foreach (string endpoint in app.Endpoints)
        {
            Console.WriteLine($"created app={app.App} endpoint={endpoint}");
        }

        foreach ((string task, string nodes) in app.RunOn ?? new Dictionary<string, string>())
        {
            Console.WriteLine($"created app={app.App} task={PlainText.OneLine(task)} run-on={nodes}");
        }
    }

    private static Command DeleteApp()
    {
        Argument<string> app = ControlCommands.App();
        Option<double> drain = new("--drain-timeout")
        {
            Description = "Seconds for the app's jobs to finish",
            DefaultValueFactory = _ => 30,
        };
        drain.Check(seconds => seconds is >= 0 and <= 1e9, "--drain-timeout is seconds, 0 or more");
        Option<bool> json = ControlCommands.Json();
        return new Command(
            "delete",
            "Forget an app and end it: it takes no more jobs, and finishes its jobs.") { app, drain, json }
            .Example("cocaine-fast app delete echo --drain-timeout 10")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                await node.DeleteAsync(parsed.GetValue(app)!, TimeSpan.FromSeconds(parsed.GetValue(drain)), stop);
                ControlCommands.PrintDone(parsed.GetValue(json), "deleted", parsed.GetValue(app)!);
                return ExitCodes.Ok;
            });
    }

    private static Command ScaleApp()
    {
        Argument<string> app = ControlCommands.App();
        Option<int?> minimum = new("--minimum") { Description = "Slaves kept warm" };
        Option<int?> limit = new("--limit") { Description = "Most slaves" };
        Option<bool> json = ControlCommands.Json();
        Command command = new(
            "scale",
            "Set the bounds of an app's pool now, until its next version or start.")
        {
            app, minimum, limit, json,
        };
        command.Example("cocaine-fast app scale echo --minimum 2 --limit 8").Check(given =>
            given.GetValue(minimum) is null && given.GetValue(limit) is null ? "give --minimum, --limit, or both" : null);
        return command.With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            await node.ScaleAsync(parsed.GetValue(app)!, parsed.GetValue(minimum), parsed.GetValue(limit), stop);
            ControlCommands.PrintDone(parsed.GetValue(json), "scaled", parsed.GetValue(app)!);
            return ExitCodes.Ok;
        });
    }

    private static Command Simple(
        string name, string description, string done, Func<NodeControlClient, string, CancellationToken, Task> work)
    {
        Argument<string> app = ControlCommands.App();
        Option<bool> json = ControlCommands.Json();
        return new Command(name, description + ".") { app, json }
            .Example($"cocaine-fast app {name} echo")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            await work(node, parsed.GetValue(app)!, stop);
            ControlCommands.PrintDone(parsed.GetValue(json), done, parsed.GetValue(app)!);
            return ExitCodes.Ok;
        });
    }

    /// <summary>The file of a manifest.</summary>
    internal static Argument<string> File() =>
        new("manifest") { Description = "The manifest's file; relative paths start from its folder" };

    /// <summary>The file for the node, which checks it; null when the file cannot be read or is no text.</summary>
    internal static ManifestText? Manifest(string path)
    {
        if (JsonText.ReadFile(path, "manifest", out string problem) is not { } bytes)
        {
            Complaint.Say($"{ManifestProblem.OfFile(path, problem)}");
            return null;
        }

        // Bytes that are not UTF-8 cannot be sent as text, and a file that is too large need not be sent: the check here reports both.
        bool canBeSent = bytes.Length <= JsonText.MaxFileBytes && System.Text.Unicode.Utf8.IsValid(bytes);
        return canBeSent || Manifests.Read([path]) is not null ? new ManifestText(bytes, Path.GetFullPath(path)) : null;
    }
}
