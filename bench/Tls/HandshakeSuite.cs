using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>
/// The CPU of handshakes: of both sides of a session in memory, and of the node. The node's is the CPU of connections with TLS that make
/// one call, less that of plain ones that do the same. The client is .NET's, of many addresses: a node bounds the handshakes of one.
/// </summary>
internal static class HandshakeSuite
{
    private const int AtOnce = 4, Addresses = 100;

    /// <summary>
    /// Windows of which the median counts, as of the sessions alone: the work of compiling the node's code for its speed is in some of the
    /// first.
    /// </summary>
    private const int Windows = 9;

    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(3), Window = TimeSpan.FromSeconds(0.7);
    private static int _next;

    public static async Task RunAsync(BenchCertificates certificates)
    {
        Started elliptic = await TlsServers.NodeAsync(certificates, "ec"), rsa = await TlsServers.NodeAsync(certificates, "rsa");
        using ServerProcess first = elliptic.Processes[0], second = rsa.Processes[0];
        Console.WriteLine("| handshake | server's session, ms | client's session, ms | node, CPU ms | node : session | aim |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        await RowAsync("ECDSA P-256", elliptic, 1, "ec", null, 0.3);
        await RowAsync("RSA-3072", rsa, 1, "rsa", null, 1.7);
        await RowAsync("ECDSA P-256, client with a certificate", elliptic, 2, "ec", "client", 0.8);

        async Task RowAsync(string name, Started node, int endpoint, string server, string? client, double aimMs)
        {
            using SessionCost alone = new(certificates, server, client);
            _ = alone.Measure();
            (double serverMs, double clientMs) = alone.Measure();
            using X509Certificate2? own = client is null ? null : OwnOf(certificates, client);
            double plainMs = await CpuMsAsync(node, 0, certificates, null);
            double nodeMs = await CpuMsAsync(node, endpoint, certificates, own) - plainMs;
            string held = nodeMs <= aimMs ? "held" : "MISSED";
            Console.WriteLine(FormattableString.Invariant($"| {name} | {serverMs:F2} | {clientMs:F2} ")
                + FormattableString.Invariant($"| {nodeMs:F2} (a plain connection: {plainMs:F2}) ")
                + FormattableString.Invariant($"| {nodeMs / serverMs:F2} | {aimMs:F1}: {held} |"));
        }
    }

    private static X509Certificate2 OwnOf(BenchCertificates certificates, string name)
    {
        using X509Certificate2 read = X509Certificate2.CreateFromPemFile(certificates.CertificateFile(name), certificates.KeyFile(name));
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<double> CpuMsAsync(Started node, int endpoint, BenchCertificates certificates, X509Certificate2? own)
    {
        int[] pids = [node.Processes[0].Pid];
        string[] parts = node.Endpoints[endpoint].Split("://");
        await CallForAsync(Warm);
        double[] costs = new double[Windows];
        for (int i = 0; i < Windows; i++)
        {
            double before = ProcessTree.CpuSeconds(pids);
            int count = await CallForAsync(Window);
            costs[i] = (ProcessTree.CpuSeconds(pids) - before) * 1000 / count;
        }

        Array.Sort(costs);
        return costs[Windows / 2];

        async Task<int> CallForAsync(TimeSpan time)
        {
            long began = Stopwatch.GetTimestamp();
            using X509Certificate2 authority = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(certificates.CaFile));
            int[] counts = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
            {
                int count = 0;
                for (; Stopwatch.GetElapsedTime(began) < time; count++)
                {
                    await CallAsync(IPEndPoint.Parse(parts[1]), parts[0] == "tls" ? authority : null, own);
                }

                return count;
            })));
            return counts.Sum();
        }
    }

    /// <summary>A connection that makes one call; over TLS when there is an authority.</summary>
    private static async Task CallAsync(IPEndPoint node, X509Certificate2? authority, X509Certificate2? own)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        int address = Interlocked.Increment(ref _next) % Addresses;
        socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(address + 1)]), 0));
        await socket.ConnectAsync(node);
        Stream stream = new NetworkStream(socket);
        if (authority is not null)
        {
            SslStream secured = new(stream);
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = false,
                ClientCertificateContext = own is null ? null : SslStreamCertificateContext.Create(own, null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            });
            stream = secured;
        }

        await using (stream)
        {
            await stream.WriteAsync(Call);
            byte[] answer = new byte[256];
            if (await stream.ReadAsync(answer) == 0)
            {
                throw new IOException("no answer came");
            }
        }
    }

    private static readonly byte[] Call = MakeCall();

    private static byte[] MakeCall()
    {
        MemorySink sink = new(256);
        MessageWriter.WriteEnqueue(sink, 1, "echo"u8, default, bin: true);
        MessageWriter.WriteChunk(sink, 1, new Payload(new byte[64]), bin: true);
        MessageWriter.WriteClose(sink, 1);
        return sink.Written.ToArray();
    }
}
