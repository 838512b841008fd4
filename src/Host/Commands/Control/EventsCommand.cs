using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast events</c></summary>
internal static class EventsCommand
{
    public static Command Create()
    {
        Argument<string?> app = new("app") { Description = "Only of this app", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> follow = AppViews.Follow();
        Option<bool> json = ControlCall.Json();
        return new Command(
            "events",
            "Show what the node decided and why: slaves that start and die, pools that grow, versions that change.\n\nExample:\n"
            + "  cocaine-fast events echo -f") { app, follow, json }
            .With(ControlCall.Node(), (parsed, node, stop) => ControlCall.FollowAsync(
                node.EventsAsync(parsed.GetValue(app), parsed.GetValue(follow), stop),
                parsed.GetValue(json) ? ControlCall.PrintLine : Print));
    }

    private static void Print(NodeEvent item)
    {
        AppViews.PrintLost(item.Lost);
        string app = item.App.Length > 0 ? item.App : "-";
        string text = PlainText.Indented(item.Text);
        Console.WriteLine($"{AppViews.Clock(item.Time)}  {item.Level,-11}  {app,-12}  {item.Kind,-16}  {text}");
    }
}
