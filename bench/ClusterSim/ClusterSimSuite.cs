using System.Globalization;

namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>
/// Simulates the balancing of clusters of up to 1,000 nodes, each policy beside an oracle, with the rules that the client library and the
/// nodes use. The same seed gives the same table.
/// </summary>
internal static class ClusterSimSuite
{
    private const int Seed = 1;

    private static readonly (Policy Policy, string Name)[] Policies =
    [
        (Policy.Random, "random"),
        (Policy.RoundRobin, "round robin"),
        (Policy.TwoByOwn, "two, own calls"),
        (Policy.TwoByPeak, "two, own calls × peak mean"),
        (Policy.TwoByReport, "two, reports of 200 ms"),
        (Policy.LeastReported, "least of all, reports of 200 ms"),
        (Policy.Ours, "ours: best of three, news on answers"),
        (Policy.Sticky, "a client stays with one node"),
        (Policy.OneNode, "all clients call one node"),
    ];

    private static readonly Shape[] Shapes =
        [new(3, 50, 150_000), new(10, 50, 300_000), new(100, 200, 600_000), new(1000, 2000, 1_000_000)];

    /// <summary>Prints a table for each number of nodes; the arguments are the numbers of nodes to run, all without any.</summary>
    public static int Run(string[] nodes)
    {
        if (nodes.FirstOrDefault(one => !Shapes.Any(shape => IsOf(shape, one))) is { } unknown)
        {
            Console.Error.WriteLine($"cluster-sim: {unknown} nodes are not simulated; 3, 10, 100 or 1000 are");
            return 2;
        }

        foreach (Shape shape in Shapes.Where(shape => nodes.Length == 0 || nodes.Any(one => IsOf(shape, one))))
        {
            Print(shape);
        }

        return 0;
    }

    private static bool IsOf(Shape shape, string nodes) => shape.Nodes.ToString(CultureInfo.InvariantCulture) == nodes;

    private static void Print(Shape shape)
    {
        Console.WriteLine($"{shape.Nodes} nodes, {shape.Clients} clients, {shape.Jobs} jobs, load {Shape.Load}; ms; late and failed: %; "
            + "to oracle: p99 / p99 of the oracle");
        Console.WriteLine($"{"",-36}{"alone",38} | {"with forwarding between nodes",46}");
        string columns = $"{"p50",6}{"p99",8}{"p99.9",8}{"late",7}";
        Console.WriteLine($"{"policy",-36}{columns}{"to oracle",10}  |{columns}{"failed",8}{"to oracle",10}{"forwarded",10}");
        Figures oracle = Oracle.Run(shape, Seed);
        Console.WriteLine($"{"oracle",-36}{Cells(oracle)}{1,10:F2}  |");
        (Figures Alone, Figures Forwarded)[] rows = new (Figures, Figures)[Policies.Length];
        Parallel.For(0, Policies.Length * 2, i =>
        {
            Figures figures = Simulation.Run(shape, Policies[i / 2].Policy, forwards: i % 2 == 1, Seed);
            (i % 2 == 1 ? ref rows[i / 2].Forwarded : ref rows[i / 2].Alone) = figures;
        });
        for (int i = 0; i < rows.Length; i++)
        {
            (Figures alone, Figures forwarded) = rows[i];
            Console.WriteLine($"{Policies[i].Name,-36}{Cells(alone)}{alone.P99 / oracle.P99,10:F2}  |{Cells(forwarded)}"
                + $"{forwarded.FailedPercent,8:F2}{forwarded.P99 / oracle.P99,10:F2}{forwarded.ForwardedPercent,8:F0} %");
        }

        Console.WriteLine();
    }

    private static string Cells(Figures figures) => $"{figures.P50,6:F1}{figures.P99,8:F0}{figures.P999,8:F0}{figures.LatePercent,7:F2}";
}
