using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Frameworks;

/// <summary>A client like the oldest public frameworks calls a node that takes clients with certificates alone: a tunnel has the certificate.</summary>
public sealed class TunnelledFrameworkTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_oldest_client_calls_through_a_tunnel_as_without_one()
    {
        TestCertificates certificates = new(_folder);
        await using TestNode node = TestNode.Start(tls: certificates.Config(certificates.IssueServer()));
        AppManifest manifest = OldestFrameworkTests.Manifest();
        TaskManifest task = manifest.Tasks[0];
        RunningApp app = await node.AddAsync(manifest with
        {
            Tasks = [task with { Keys = new Dictionary<string, object>(task.Keys) { ["tls"] = "mutual" } }],
        });
        TestCertificate own = certificates.Issue("caller");
        string to = app.Endpoints.Single(one => one.Endpoint.Contains("127.0.0.1")).Endpoint.Replace("tcp://", "tls://");
        ProcessStartInfo start = new(ServeProcess.Program,
            ["tunnel", "--listen", "tcp://127.0.0.1:0", "--to", to, "--ca", certificates.CaFile, "--cert", own.CertificateFile, "--key", own.KeyFile])
        {
            RedirectStandardOutput = true,
        };
        using Process tunnel = Process.Start(start)!;
        try
        {
            string ready = await tunnel.StandardOutput.ReadLineAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token) ?? "";
            Assert.StartsWith("ready listen=tcp://127.0.0.1:", ready);
            using OldestClient client = new(ready.Split("listen=")[1].Split(' ')[0]);
            foreach (int size in (int[])[0, 1, 255, 65_536, 1 << 20])
            {
                string text = new('x', size);
                Assert.Equal(text + " close", await client.CallAsync("echo", Encoding.UTF8.GetBytes(text)));
            }

            Assert.Equal("one two three close", await client.CallAsync("echo", "one "u8.ToArray(), [], "two "u8.ToArray(), "three"u8.ToArray()));
            Assert.Equal("first error 42 100 no luck", await client.CallAsync("raises_late", "no luck"u8.ToArray()));
            Assert.Equal("slept close", await client.CallAsync("sleeps", "300"u8.ToArray()));
        }
        finally
        {
            tunnel.Kill();
            await tunnel.WaitForExitAsync();
        }
    }
}
