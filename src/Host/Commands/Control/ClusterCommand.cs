using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast cluster …</c>: a node as a member of a cluster.</summary>
internal static class ClusterCommand
{
    /// <summary>The list of nodes.</summary>
    internal static Columns<ClusterMember> NodeColumns { get; } = new(
        new("node", node => node.Node),
        new("state", State),
        new("address", node => node.Address) { Drop = 2 },
        new("locator", node => string.Join(" ", node.Locator)) { Drop = 1, Short = node => node.Locator.FirstOrDefault() ?? "" },
        new("apps", node => Number(node.Apps)) { Drop = 3, IsRight = true },
        new("slots", node => Number(node.Slots)) { Drop = 6, IsRight = true },
        new("running", node => Number(node.Running)) { Drop = 6, IsRight = true },
        new("queued", node => Number(node.Queued)) { Drop = 6, IsRight = true },
        new("out", node => Number(node.ForwardedOut)) { Drop = 7, IsRight = true },
        new("in", node => Number(node.ForwardedIn)) { Drop = 7, IsRight = true },
        new("version", node => node.Version) { Drop = 5 },
        new("labels", node => string.Join(" ", node.Labels.Select(label => $"{label.Key}={label.Value}"))) { Drop = 4 });

    public static Command Create() => new(
        "cluster",
        "Look at the cluster of a node (cocaine-fast serve), join one, leave it.\n\nExamples:\n"
        + "  cocaine-fast cluster join nats://127.0.0.1:4222\n  cocaine-fast cluster list")
    {
        List(), Info(), Join(), Leave(), DrainCommand.Drain(), DrainCommand.Undrain(), Remove(),
    };

    private static Command List()
    {
        Option<bool> wide = AppViews.Wide();
        Option<bool> json = ControlCommands.Json();
        return new Command("list", "List the nodes of the cluster, as this node sees them.") { wide, json }
            .Example("cocaine-fast cluster list --wide")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                ClusterAnswer cluster = await node.ClusterAsync(stop);
                if (parsed.GetValue(json))
                {
                    ControlCommands.PrintJson(cluster.Nodes);
                }
                else
                {
                    Note(cluster);
                    if (cluster.Nodes.Count > 0)
                    {
                        NodeColumns.Write(cluster.Nodes, Screen.Current.Wide(parsed.GetValue(wide)));
                    }
                }

                return ExitCodes.Ok;
            });
    }

    private static Command Info()
    {
        Option<bool> json = ControlCommands.Json();
        return new Command("info", "Show the node's place in its cluster.") { json }
            .Example("cocaine-fast cluster info")
            .With(ControlCommands.Node(), async (parsed, node, stop) => Print(await node.ClusterAsync(stop), parsed.GetValue(json)));
    }

    private static Command Join()
    {
        Argument<string?> engine = new("engine")
        {
            Description = "The address of the cluster's engine, nats://HOST:PORT or tls://HOST:PORT; without it, the node's",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> takeOver = new("--take-over") { Description = "Take the node's name from a node that is down" };
        Option<bool> json = ControlCommands.Json();
        return new Command(
            "join",
            "Make the node a member of the cluster that meets at an engine, without a restart; it stays a member over restarts. Whoever "
            + "can write to the engine runs code on this node. The command exits with 1 when the node is not a member within 15 s; it "
            + "goes on trying.") { engine, takeOver, json }
            .Example("cocaine-fast cluster join nats://127.0.0.1:4222")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                ClusterAnswer cluster = await node.JoinClusterAsync(parsed.GetValue(engine), parsed.GetValue(takeOver), stop);
                int code = Print(cluster, parsed.GetValue(json));
                return cluster.State == "attached" ? code : ExitCodes.Failed;
            });
    }

    private static Command Leave()
    {
        Option<bool> json = ControlCommands.Json();
        return new Command("leave", "Make the node belong to no cluster: the apps of the cluster end on it, and its own go on.") { json }
            .Example("cocaine-fast cluster leave")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
                Print(await node.LeaveClusterAsync(stop), parsed.GetValue(json)));
    }

    private static Command Remove()
    {
        Argument<string> name = new("name") { Description = "A node that is down and does not come back" };
        Option<bool> json = ControlCommands.Json();
        return new Command("remove", "Take a node that is down out of the cluster; its name is free then.") { name, json }
            .Example("cocaine-fast cluster remove b")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                await node.RemoveFromClusterAsync(parsed.GetValue(name)!, stop);
                if (parsed.GetValue(json))
                {
                    ControlCommands.PrintJson(new { Node = parsed.GetValue(name), Removed = true });
                }
                else
                {
                    Console.WriteLine($"removed node={parsed.GetValue(name)}");
                }

                return ExitCodes.Ok;
            });
    }

    private static int Print(ClusterAnswer cluster, bool json)
    {
        if (json)
        {
            ControlCommands.PrintJson(cluster);
            return ExitCodes.Ok;
        }

        Console.WriteLine(PlainText.OneLine(cluster.Node is null ? cluster.State
            : $"{cluster.State} node={cluster.Node} cluster={cluster.Cluster ?? "?"} engine={cluster.Engine} "
                + $"nodes={cluster.Nodes.Count.ToString(CultureInfo.InvariantCulture)}"));
        Note(cluster);
        return ExitCodes.Ok;
    }

    private static void Note(ClusterAnswer cluster)
    {
        if (cluster.Reason is { } reason)
        {
            Complaint.SayOfPeer(reason);
        }
    }

    private static string Number(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string State(ClusterMember node) =>
        node.DownSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{node.State} {seconds:0} s") : node.State;
}
