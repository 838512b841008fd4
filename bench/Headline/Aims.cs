using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>The project's aims, computed from one run: ratios to what was measured beside it.</summary>
internal sealed class Aims(IReadOnlyList<Row> rows, Extras extras)
{
    /// <summary>Below the smallest object: what is left is the runtime's own, and the questions asked of the node.</summary>
    private const double NoAllocationBytes = 1;

    private readonly List<Aim> _aims = [];

    public IReadOnlyList<Aim> All()
    {
        string main = Shape.Main.ToString(), lone = Shape.LonePinned.ToString();
        double stockCpu = Value(Catalog.PipelinesEcho, main, row => row.ServerCpuPerMillion);
        double stockRate = Value(Catalog.PipelinesEcho, main, row => row.RequestsPerSecond);
        AtMost("thread: CPU / Pipelines echo's", 0.8, Value(Catalog.Thread, main, row => row.ServerCpuPerMillion) / stockCpu, "F2");
        AtMost("process .NET: CPU / Pipelines echo's", 0.75, Value(Catalog.DotNet, main, row => row.ServerCpuPerMillion) / stockCpu, "F2");
        AtLeast("process Python: requests/s", 250_000, Value(Catalog.Python, main, row => row.RequestsPerSecond), "N0");
        AtMost("process Python: CPU s/M", 4.5, Value(Catalog.Python, main, row => row.ServerCpuPerMillion), "F2");
        AtMost("process Python: CPU s/M of the node", 1.4, Value(Catalog.Python, main, row => row.RootCpuPerMillion), "F2");
        foreach (string ours in (string[])[Catalog.Thread, Catalog.DotNet])
        {
            AtLeast($"{Short(ours)}: requests/s / Pipelines echo's", 1.3,
                Value(ours, main, row => row.RequestsPerSecond) / stockRate, "F2");
        }

        double echo = Value(Catalog.CEcho, lone, row => row.P50Us);
        AtMost("thread: p50 / C echo's, 1×1 on one CPU", 1.8, Value(Catalog.Thread, lone, row => row.P50Us) / echo, "F2");
        AtMost("process .NET: p50 / C echo's, 1×1 on one CPU", 1.9, Value(Catalog.DotNet, lone, row => row.P50Us) / echo, "F2");
        AddRivals(main);
        foreach (string wide in Shape.Wide.Select(shape => shape.ToString()))
        {
            echo = Value(Catalog.CEcho, wide, row => row.ServerCpuPerMillion);
            AtMost($"thread: CPU / C echo's, {wide}", 1.3, Value(Catalog.Thread, wide, row => row.ServerCpuPerMillion) / echo, "F2");
            AtMost($"process .NET: CPU / C echo's, {wide}", 1.3, Value(Catalog.DotNet, wide, row => row.ServerCpuPerMillion) / echo, "F2");
        }

        AddLong(Shape.Long.ToString());
        AtLeast("process .NET: GB/s, 16 MiB answers streamed", 2,
            Value(Catalog.DotNet, Shape.Stream.ToString(), row => row.RequestsPerSecond) * Shape.Stream.SizeBytes / 1e9, "F2");
        Row worst = rows.Where(row => row.Shape != Shape.Stream.ToString()).MaxBy(row => row.AllocatedBytesPerRequest?.Median ?? 0)!;
        AtMost($"B allocated per request, below an object's 24; worst: {worst.System}, {worst.Shape}", NoAllocationBytes,
            worst.AllocatedBytesPerRequest?.Median ?? double.NaN, "F2");
        AtMost($"idle connection: B of node memory, {extras.Idle.Connections:N0} of them", 4096, extras.Idle.BytesEach, "N0");
        AtMost("start to ready, Python echo: ms", 400, Ready(Extras.PythonStart), "F0");
        AtMost("start to ready, thread .NET echo: ms", 250, Ready(Extras.ThreadStart), "F0");
        return _aims;
    }

    private void AddRivals(string main)
    {
        foreach (string rival in (string[])[Catalog.Grpc, Catalog.Nats])
        {
            double rate = Value(rival, main, row => row.RequestsPerSecond), cpu = Value(rival, main, row => row.ServerCpuPerMillion);
            foreach (string ours in (string[])[Catalog.Thread, Catalog.DotNet])
            {
                AtLeast($"{Short(ours)}: requests/s / {rival}'s", 8, Value(ours, main, row => row.RequestsPerSecond) / rate, "F1");
                AtLeast($"{rival}'s CPU / {Short(ours)}'s", 7, cpu / Value(ours, main, row => row.ServerCpuPerMillion), "F1");
            }
        }
    }

    private void AddLong(string shape)
    {
        double echo = Value(Catalog.CEcho, shape, row => row.ServerCpuPerMillion);
        double stock = Value(Catalog.EventArgsEcho, shape, row => row.ServerCpuPerMillion);
        foreach (string ours in (string[])[Catalog.Thread, Catalog.DotNet])
        {
            double cpu = Value(ours, shape, row => row.ServerCpuPerMillion);
            AtMost($"{Short(ours)}: CPU / C echo's, {shape}", 1.8, cpu / echo, "F2");
            AtMost($"{Short(ours)}: CPU / {Catalog.EventArgsEcho}'s, {shape}", 1, cpu / stock, "F2");
            AtMost($"{Short(ours)}: RSS MiB, {shape}", 120, Value(ours, shape, row => row.RssMiB), "F0");
        }
    }

    private void AtMost(string what, double limit, double value, string format) => _aims.Add(Aim.AtMost(what, limit, value, format));

    private void AtLeast(string what, double limit, double value, string format) => _aims.Add(Aim.AtLeast(what, limit, value, format));

    private double Ready(string what) => extras.Starts.First(start => start.What == what).ReadyMs.Median;

    private double Value(string system, string shape, Func<Row, Figure> figure) =>
        rows.FirstOrDefault(row => row.System == system && row.Shape == shape && row.Error.Length == 0) is { } row
            ? figure(row).Median : double.NaN;

    private static string Short(string system) => system["cocaine-fast ".Length..^", TCP".Length];
}
