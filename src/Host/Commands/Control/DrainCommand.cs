using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast cluster drain</c> and <c>undrain</c>: a node takes no new work, or takes it again.</summary>
internal static class DrainCommand
{
    /// <summary>How often the command looks; a view tells nobody when it changes.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the command waits: a node waits for a minute at the most, and its jobs for their drain-timeout.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    public static Command Drain()
    {
        Argument<string> name = Name();
        Option<bool> noWait = new("--no-wait") { Description = "Return once the cluster knows it, before the apps have ended" };
        Option<bool> json = ControlCommands.Json();
        return new Command(
            "drain",
            "Make a node take no new work: the apps of the cluster end on it once they are ready on other nodes, and their jobs are "
            + "finished. The node stays up, and stays drained over restarts, until 'cluster undrain'. The command exits with 1 when apps "
            + "are left after two minutes; the node goes on.") { name, noWait, json }
            .Example("cocaine-fast cluster drain b")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                string drained = parsed.GetValue(name)!;
                ClusterAnswer cluster = await node.DrainAsync(drained, isDraining: true, stop);
                long endMs = Environment.TickCount64 + (long)Longest.TotalMilliseconds;
                while (!parsed.GetValue(noWait) && StateOf(cluster, drained) == "draining" && Environment.TickCount64 < endMs)
                {
                    await Task.Delay(Look, stop);
                    cluster = await node.ClusterAsync(stop);
                }

                bool isLate = !parsed.GetValue(noWait) && StateOf(cluster, drained) == "draining";
                Print(cluster, drained, parsed.GetValue(json));
                if (isLate)
                {
                    Complaint.Say($"node {drained} has apps of the cluster still: no other node can have them, or their jobs go on");
                }

                return isLate ? ExitCodes.Failed : ExitCodes.Ok;
            });
    }

    public static Command Undrain()
    {
        Argument<string> name = Name();
        Option<bool> json = ControlCommands.Json();
        return new Command("undrain", "Make a drained node take work again.") { name, json }
            .Example("cocaine-fast cluster undrain b")
            .With(ControlCommands.Node(), async (parsed, node, stop) =>
            {
                string drained = parsed.GetValue(name)!;
                Print(await node.DrainAsync(drained, isDraining: false, stop), drained, parsed.GetValue(json));
                return ExitCodes.Ok;
            });
    }

    private static Argument<string> Name() => new("name") { Description = "A node of the cluster" };

    private static void Print(ClusterAnswer cluster, string name, bool json)
    {
        string state = StateOf(cluster, name) ?? "gone";
        if (json)
        {
            ControlCommands.PrintJson(new { Node = name, State = state });
        }
        else
        {
            Console.WriteLine($"{state} node={PlainText.OneLine(name)}");
        }
    }

    private static string? StateOf(ClusterAnswer cluster, string name) => cluster.Nodes.FirstOrDefault(node => node.Node == name)?.State;
}
