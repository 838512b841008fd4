using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Control;
using Spectre.Console;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast quarantine list|show|replay|drop</c>: jobs that killed every slave that ran them.</summary>
internal static class QuarantineCommand
{
    public static Command Create() => new(
        "quarantine",
        "Look at jobs that killed every slave that ran them; run them again, or forget them.\n\nExample:\n"
        + "  cocaine-fast quarantine list echo")
    {
        List(), Show(),
        OfJob("replay", "Run a job again: it leaves the quarantine when it is done", "replayed", (node, app, id, stop) =>
            node.QuarantineReplayAsync(app, id, stop)),
        OfJob("drop", "Forget a job", "dropped", (node, app, id, stop) => node.QuarantineDropAsync(app, id, stop)),
    };

    private static Command List()
    {
        Argument<string?> app = new("app") { Description = "Only of this app", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = ControlCall.Json();
        return new Command("list", "List the jobs, oldest first.") { app, json }.With(ControlCall.Node(), async (parsed, node, stop) =>
        {
            IReadOnlyList<QuarantinedJob> jobs = await node.QuarantineListAsync(parsed.GetValue(app), stop);
            if (parsed.GetValue(json))
            {
                ControlCall.PrintJson(jobs);
                return ExitCodes.Ok;
            }

            Table table = new Table().Border(TableBorder.Minimal);
            foreach (string column in (string[])["app", "id", "event", "time", "bytes", "cause"])
            {
                table.AddColumn(column);
            }

            foreach (QuarantinedJob job in jobs)
            {
                table.AddRow(
                    Markup.Escape(job.App), Markup.Escape(job.Id), Markup.Escape(PlainText.OneLine(job.Event)),
                    job.Time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                    job.RequestBytes.ToString(CultureInfo.InvariantCulture), Markup.Escape(PlainText.OneLine(job.Cause)));
            }

            ControlCall.Print(table);
            return ExitCodes.Ok;
        });
    }

    private static Command Show()
    {
        Argument<string> app = ControlCall.App(), id = Id();
        Option<bool> json = ControlCall.Json();
        return new Command("show", "Show what is kept of a job.") { app, id, json }.With(ControlCall.Node(), async (parsed, node, stop) =>
        {
            InfoCommand.Print(await node.QuarantineShowAsync(parsed.GetValue(app)!, parsed.GetValue(id)!, stop), parsed.GetValue(json));
            return ExitCodes.Ok;
        });
    }

    private static Command OfJob(
        string name, string description, string done, Func<NodeControlClient, string, string, CancellationToken, Task> work)
    {
        Argument<string> app = ControlCall.App(), id = Id();
        Option<bool> json = ControlCall.Json();
        return new Command(name, description + ".") { app, id, json }.With(ControlCall.Node(), async (parsed, node, stop) =>
        {
            await work(node, parsed.GetValue(app)!, parsed.GetValue(id)!, stop);
            ControlCall.PrintDone(parsed.GetValue(json), done, parsed.GetValue(app)!, parsed.GetValue(id));
            return ExitCodes.Ok;
        });
    }

    private static Argument<string> Id() => new("id") { Description = "The job's id in the quarantine" };
}
