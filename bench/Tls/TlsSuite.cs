using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>
/// The cost of TLS: the same requests plain and encrypted, to a node of ours and to Kestrel, in turns; then the memory of a connection that
/// does nothing; then the handshakes of three kinds of certificates.
/// </summary>
internal sealed class TlsSuite : IDisposable
{
    private const int Rounds = 3, IdleConnections = 400;
    private const double WarmSeconds = 0.5, MeasureSeconds = 1.2;

    private static readonly (int Connections, int InFlight, int SizeBytes, double Aim)[] Shapes =
        [(32, 8, 64, 1.2), (256, 1, 64, 1.35), (8, 2, 64 << 10, 2.0)];

    private readonly AgentProcess _agent = AgentProcess.Start();
    private readonly string _folder = Directory.CreateTempSubdirectory("cocaine-bench-tls-").FullName;
    private readonly BenchCertificates _certificates;
    private bool _isRight = true;

    private TlsSuite()
    {
        _certificates = new BenchCertificates(_folder);
        _certificates.MakeEllipticServer("ec");
        _certificates.MakeRsaServer("rsa");
        _certificates.MakeClient("client");
    }

    /// <summary>Measures all, and prints the tables; 1 when an answer was wrong.</summary>
    /// <param name="handshakesOnly">Only the handshakes.</param>
    public static async Task<int> RunAsync(bool handshakesOnly)
    {
        await OurNode.BuildAsync();
        using TlsSuite suite = new();
        if (!handshakesOnly)
        {
            await suite.RequestsAsync();
        }

        await HandshakeSuite.RunAsync(suite._certificates);
        return suite._isRight ? 0 : 1;
    }

    public void Dispose()
    {
        _agent.Dispose();
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RequestsAsync()
    {
        Started node = await TlsServers.NodeAsync(_certificates, "ec"), kestrel = await TlsServers.KestrelAsync(_certificates, "ec");
        using ServerProcess nodeProcess = node.Processes[0], kestrelProcess = kestrel.Processes[0];
        Console.WriteLine("| shape | server | requests/s | p99 µs | CPU s per million | TLS : plain | bytes allocated a request |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach ((int connections, int inFlight, int sizeBytes, double aim) in Shapes)
        {
            (string Name, string Protocol, Started Server, int Endpoint)[] systems =
            [
                ("cocaine-fast thread, plain", "native", node, 0), ("cocaine-fast thread, TLS", "native", node, 1),
                ("Kestrel echo, plain", "raw", kestrel, 0), ("Kestrel echo, TLS", "raw", kestrel, 1),
            ];
            List<LoadFigures>[] runs = [.. systems.Select(_ => new List<LoadFigures>())];
            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < systems.Length; i++)
                {
                    (_, string protocol, Started server, int endpoint) = systems[i];
                    runs[i].Add(await _agent.AskAsync(new LoadSpec(
                        protocol, [server.Endpoints[endpoint]], connections, inFlight, sizeBytes, MeasureSeconds, WarmSeconds,
                        [.. server.Processes.Select(process => process.Pid)])
                    {
                        CaFile = endpoint > 0 ? _certificates.CaFile : "",
                    }));
                }
            }

            string shape = $"{connections}×{inFlight}, {sizeBytes} B";
            Print(shape, aim, [.. systems.Zip(runs, (system, all) => Row.Of(system.Name, shape, all))]);
        }

        Console.WriteLine();
        await IdleAsync(node);
    }

    private void Print(string shape, double aim, Row[] rows)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            Row row = rows[i];
            _isRight &= row.Wrong == 0 && row.Error.Length == 0;
            double ratio = row.ServerCpuPerMillion.Median / rows[i & ~1].ServerCpuPerMillion.Median;
            string told = i % 2 == 0 ? "" : i == 1 ? $"{ratio:F2}, aim {aim:F2}: {(ratio <= aim ? "held" : "MISSED")}" : $"{ratio:F2}";
            string cpu = row.ServerCpuPerMillion.Show("F2");
            double? bytes = row.AllocatedBytesPerRequest?.Median;
            Console.WriteLine(row.Error.Length > 0 ? $"| {shape} | {row.System} | {row.Error} |" : FormattableString.Invariant(
                $"| {shape} | {row.System} | {row.RequestsPerSecond.Median:F0} | {row.P99Us.Median:F0} | {cpu} | {told} | {bytes:F1} |"));
        }
    }

    /// <summary>The node's memory with many connections that have called once, less its memory before.</summary>
    private async Task IdleAsync(Started node)
    {
        foreach ((string name, int endpoint) in ((string, int)[])[("plain", 0), ("TLS", 1)])
        {
            ClientOptions options = new()
            {
                ConnectTimeout = TimeSpan.FromMinutes(1),
                Tls = endpoint > 0 ? new ClientTls { CaFile = _certificates.CaFile } : null,
            };
            int[] pids = [node.Processes[0].Pid];
            List<CocaineClient> clients = [await CocaineClient.ConnectAsync(node.Endpoints[endpoint], options)];
            long before = ProcessTree.RssBytes(pids);
            for (int i = 0; i < IdleConnections; i++)
            {
                clients.Add(await CocaineClient.ConnectAsync(node.Endpoints[endpoint], options));
                await clients[^1].CallAsync("echo", new byte[64]);
            }

            double kibibytes = (ProcessTree.RssBytes(pids) - before) / 1024.0 / IdleConnections;
            string aim = endpoint > 0 ? "; aim 18" : "";
            Console.WriteLine(FormattableString.Invariant(
                $"a connection that does nothing, {name}: {kibibytes:F1} KiB ({IdleConnections} of them){aim}"));
            foreach (CocaineClient client in clients)
            {
                await client.DisposeAsync();
            }
        }

        Console.WriteLine();
    }
}
