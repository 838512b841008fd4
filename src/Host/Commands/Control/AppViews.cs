using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Control;
using Spectre.Console;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>The commands of <c>app</c> that only look.</summary>
internal static class AppViews
{
    public static Command Info()
    {
        Argument<string?> app = new("app") { Description = "The app's name; without one, the node", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = ControlCall.Json();
        return new Command("info", "Show what an app is doing: queue, slaves, latencies, errors by code.") { app, json }
            .With(ControlCall.Node(), async (parsed, node, stop) =>
            {
                InfoCommand.Print(await node.InfoJsonAsync(parsed.GetValue(app), stop), parsed.GetValue(json));
                return ExitCodes.Ok;
            });
    }

    public static Command List()
    {
        Option<bool> json = ControlCall.Json();
        return new Command("list", "List the apps, those that could not be started too.") { json }
            .With(ControlCall.Node(), async (parsed, node, stop) =>
            {
                IReadOnlyList<AppSummary> apps = await node.ListAsync(stop);
                if (parsed.GetValue(json))
                {
                    ControlCall.PrintJson(apps);
                    return ExitCodes.Ok;
                }

                Table table = new Table().Border(TableBorder.Minimal);
                foreach (string column in (string[])["app", "version", "state", "slaves", "busy", "queued", "done", "failed", "endpoints"])
                {
                    table.AddColumn(new TableColumn(column).NoWrap());
                }

                foreach (AppSummary app in apps)
                {
                    // Of what a worker wrote before it ended the last line says most.
                    string[] reason = app.Reason is { } why ? [PlainText.OneLine(why.TrimEnd().Split('\n')[^1])] : [];
                    string last = string.Join('\n', app.Endpoints.Concat(reason));
                    table.AddRow(
                        Markup.Escape(app.App), Text(app.Version), app.State, Text(app.Slaves), Text(app.Busy), Text(app.Queued),
                        Text(app.Done), Text(app.Failed), Markup.Escape(last));
                }

                ControlCall.Print(table);
                return ExitCodes.Ok;
            });
    }

    public static Command Logs()
    {
        Argument<string> app = ControlCall.App();
        Option<bool> follow = Follow();
        Option<bool> json = ControlCall.Json();
        return new Command("logs", "Show what an app's workers wrote to standard output and standard error.") { app, follow, json }
            .With(ControlCall.Node(), (parsed, node, stop) => ControlCall.FollowAsync(
                node.LogsAsync(parsed.GetValue(app)!, parsed.GetValue(follow), stop),
                parsed.GetValue(json) ? ControlCall.PrintLine : Print));
    }

    public static Option<bool> Follow() => new("--follow", "-f") { Description = "Go on with what comes, until interrupted" };

    /// <summary>A time as people read it, of their day.</summary>
    public static string Clock(DateTimeOffset time) => time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

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
        Console.WriteLine($"{Clock(line.Time)}  {line.Slave}  {(line.IsError ? "err" : "out")}  {PlainText.OneLine(line.Text)}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
