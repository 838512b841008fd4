using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Quarantine;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast quarantine list|show|replay|drop</c>: jobs that killed every slave that ran them.</summary>
internal static class QuarantineCommand
{
    public static Command Create() => new(
        "quarantine",
        "Show jobs that killed every slave that ran them; run them again, or forget them.\n\nExample:\n"
        + "  cocaine-fast quarantine list echo")
    {
        List(), Show(),
        OfJob("replay", "Run a job again; a job that is done leaves the quarantine", "replayed", (node, app, id, stop) =>
            node.QuarantineReplayAsync(app, id, stop)),
        OfJob("drop", "Forget a job", "dropped", (node, app, id, stop) => node.QuarantineDropAsync(app, id, stop)),
    };

    /// <summary>The list of jobs, with times in the form for this screen.</summary>
    internal static Columns<QuarantineEntry> JobColumns(Screen screen) => new(
        new("app", job => job.App) { IsSaidOnce = true },
        new("id", job => job.Id),
        new("event", job => job.Event) { Drop = 2, IsSaidOnce = true },
        new("time", job => When.Moment(job.Time, screen, withMilliseconds: false)) { Drop = 1 },
        new("bytes", job => job.RequestBytes.ToString(CultureInfo.InvariantCulture)) { Drop = 3, IsRight = true },
        new("cause", job => job.Cause) { IsNote = true });

    private static Command List()
    {
        Argument<string?> app = ControlCommands.AppOrAll("Only jobs of this app");
        Option<bool> wide = AppViews.Wide();
        Option<bool> json = ControlCommands.Json();
        return new Command("list", "List the jobs, oldest first.") { app, wide, json }
            .Example("cocaine-fast quarantine list echo")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            IReadOnlyList<QuarantineEntry> jobs = await node.QuarantineListAsync(parsed.GetValue(app), stop);
            if (parsed.GetValue(json))
            {
                ControlCommands.PrintJson(jobs);
                return ExitCodes.Ok;
            }

            JobColumns(Screen.Current).Write(jobs, Screen.Current.Wide(parsed.GetValue(wide)));
            return ExitCodes.Ok;
        });
    }

    private static Command Show()
    {
        Argument<string> app = ControlCommands.App(), id = Id();
        Option<bool> json = ControlCommands.Json();
        return new Command("show", "Show the kept facts of a job.") { app, id, json }
            .Example("cocaine-fast quarantine show echo 18c2f3a0-17")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            InfoCommand.Print(await node.QuarantineShowAsync(parsed.GetValue(app)!, parsed.GetValue(id)!, stop), parsed.GetValue(json));
            return ExitCodes.Ok;
        });
    }

    private static Command OfJob(
        string name, string description, string done, Func<NodeControlClient, string, string, CancellationToken, Task> work)
    {
        Argument<string> app = ControlCommands.App(), id = Id();
        Option<bool> json = ControlCommands.Json();
        return new Command(name, description + ".") { app, id, json }
            .Example($"cocaine-fast quarantine {name} echo 18c2f3a0-17")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            await work(node, parsed.GetValue(app)!, parsed.GetValue(id)!, stop);
            ControlCommands.PrintDone(parsed.GetValue(json), done, parsed.GetValue(app)!, parsed.GetValue(id));
            return ExitCodes.Ok;
        });
    }

    private static Argument<string> Id() => new("id") { Description = "The job's id in the quarantine" };
}
