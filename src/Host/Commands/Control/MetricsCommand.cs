using System.CommandLine;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary><c>cocaine-fast metrics</c></summary>
internal static class MetricsCommand
{
    public static Command Create() => new Command(
        "metrics",
        "Print the metrics of a node and its apps in the text format of Prometheus: rates, errors, queues, slaves, latencies.")
        .Example("cocaine-fast metrics > /var/lib/node_exporter/cocaine.prom")
        .With(ControlCommands.Node(), async (_, node, stop) =>
        {
            Console.Write(await node.MetricsAsync(stop));
            return ExitCodes.Ok;
        });
}
