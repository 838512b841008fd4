using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast events</c></summary>
internal static class EventsCommand
{
    private const string Indent = "    ";

    public static Command Create()
    {
        Argument<string?> app = ControlCommands.AppOrAll("Only events of this app");
        Option<bool> follow = AppViews.Follow();
        Option<bool> json = ControlCommands.Json();
        return new Command(
            "events",
            "Show decisions of the node with their reasons: slaves that start and die, pools that grow, versions that change.")
            { app, follow, json }
            .Example("cocaine-fast events echo -f")
            .With(ControlCommands.Node(), (parsed, node, stop) => ControlCommands.FollowAsync(
                node.EventsAsync(parsed.GetValue(app), parsed.GetValue(follow), stop),
                parsed.GetValue(json) ? ControlCommands.PrintLine : Print));
    }

    /// <summary>
    /// An event as one line, or as several with an indent. The app's name stands in it once, whether the user asks for one app or for all.
    /// </summary>
    internal static string Line(NodeEvent item, Screen screen)
    {
        string app = item.App, text = item.Text.TrimEnd();
        foreach (string beginning in (string[])[$"{app}: ", $"app {app}: "])
        {
            if (app.Length > 0 && text.StartsWith(beginning, StringComparison.Ordinal))
            {
                text = text[beginning.Length..];
            }
        }

        string level = item.Level == "information" ? "" : $"{item.Level}  ";
        string first = PlainText.OneLine($"{When.Moment(item.Time, screen)}  {level}{(app.Length > 0 ? app : "-")}  {item.Kind}  ");
        string[] lines = text.Split('\n');
        string head = Letters.Wrapped(first, PlainText.OneLine(lines[0].TrimEnd('\r')), screen.Columns, Indent);
        return string.Join('\n', lines.Skip(1).Select(line => Below(line.TrimEnd('\r'), screen)).Prepend(head));
    }

    /// <summary>A further line of a text, usually of a traceback. It is cut in a terminal, where its beginning shows its content.</summary>
    private static string Below(string line, Screen screen)
    {
        string plain = Indent + PlainText.OneLine(line.Replace("\t", "    ", StringComparison.Ordinal));
        return screen.Columns is { } width ? Letters.Cut(plain, width) : plain;
    }

    private static void Print(NodeEvent item)
    {
        AppViews.PrintLost(item.Lost);
        Console.WriteLine(Line(item, Screen.Current));
    }
}
