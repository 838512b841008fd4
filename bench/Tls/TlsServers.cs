using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>Nodes of ours with a thread slave that echoes, and Kestrel. Each has a plain and a TLS endpoint.</summary>
internal static class TlsServers
{
    private static readonly string Program = Path.Combine(Catalog.Root, "artifacts/cocaine-fast/cocaine-fast");
    private static readonly string Echo = Path.Combine(Catalog.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll");

    /// <summary>
    /// A node of ours. Its endpoints: plain, TLS, and TLS that asks for a certificate; with a folder of keys also one for sealed jobs.
    /// </summary>
    public static async Task<Started> NodeAsync(BenchCertificates certificates, string certificate, string? keysFolder = null)
    {
        string folder = Directory.CreateTempSubdirectory("cocaine-bench-").FullName;
        int[] ports = [FreePort(), FreePort(), FreePort(), FreePort()];
        string sealedTask = keysFolder is null ? "" : $$"""
            , "sealed": { "type": "native-server", "endpoint": "tcp://127.0.0.1:{{ports[3]}}", "events": "*", "sealed": "accepted" }
            """;
        string keys = keysFolder is null ? "" : $"\"keys\": \"{keysFolder}\", ";
        string app = Path.Combine(folder, "echo.json");
        await File.WriteAllTextAsync(app, $$"""
            {
              "type": "dotnet",
              "args": "local://{{Echo}}",
              "engine": { "backend": "thread", "pool-limit": 1, "pool-minimum": 1, "concurrency": 2048, "queue-limit": 0 },
              "tasks": {
                "plain": { "type": "native-server", "endpoint": "tcp://127.0.0.1:{{ports[0]}}", "events": "*" },
                "tls": { "type": "native-server", "endpoint": "tcp://127.0.0.1:{{ports[1]}}", "events": "*", "tls": "on" },
                "mutual": { "type": "native-server", "endpoint": "tcp://127.0.0.1:{{ports[2]}}", "events": "*", "tls": "mutual" }
                {{sealedTask}}
              }
            }
            """);
        string config = Path.Combine(folder, "node.json");
        await File.WriteAllTextAsync(config, $$"""
            {
              "state": "{{folder}}/state", "runtime": "{{folder}}/run", "ledger": "{{folder}}/ledger",
              "control": { "endpoint": "ipc://{{folder}}/control.sock" }, "locator": "none", "loops": 1,
              "security": { {{keys}}"tls": {
                "certificate": "{{certificates.CertificateFile(certificate)}}", "key": "{{certificates.KeyFile(certificate)}}",
                "client-ca": "{{certificates.CaFile}}" } },
              "apps": ["{{app}}"]
            }
            """);
        ServerProcess node = await ServerProcess.StartAsync(
            new ProcessStartInfo(Program, ["serve", "--config", config]), "app echo: version 0");
        node.Folder = folder;
        return new Started([node], $"tcp://127.0.0.1:{ports[0]}", $"tls://127.0.0.1:{ports[1]}", $"tls://127.0.0.1:{ports[2]}",
            $"tcp://127.0.0.1:{ports[3]}");
    }

    /// <summary>Kestrel. Its endpoints: plain and TLS.</summary>
    public static async Task<Started> KestrelAsync(BenchCertificates certificates, string certificate)
    {
        ServerProcess server = await ServerProcess.StartAsync(
            ServerProcess.OwnRole("serve", "kestrel-echo", certificates.CertificateFile(certificate), certificates.KeyFile(certificate)),
            "ready ");
        string[] ports = server.Ready[0].Split(' ')[1..];
        return new Started([server], $"tcp://127.0.0.1:{ports[0]}", $"tls://127.0.0.1:{ports[1]}");
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
