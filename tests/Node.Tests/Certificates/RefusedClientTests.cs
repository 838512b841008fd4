using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Certificates;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Certificates;

/// <summary>Clients that the files of the node refuse, at once or by now, and what the audit has of them.</summary>
public sealed class RefusedClientTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public RefusedClientTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Clients_of_a_CA_that_is_taken_out_are_disconnected_and_others_stay()
    {
        TestCertificates other = new(_folder, "other");
        TestCertificate good = _ca.Issue("good"), bad = other.Issue("bad");
        string both = _folder.Write("both.pem", File.ReadAllText(_ca.CaFile) + "\n" + File.ReadAllText(other.CaFile));
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server) with { ClientCaFile = both }, locator: "tcp://127.0.0.1:0", locatorTls: DoorTls.Mutual);
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "mutual")));
        using SecurePeer stays = await SecurePeer.ConnectAsync(app, _ca, good);
        using SecurePeer goes = await SecurePeer.ConnectAsync(app, _ca, bad);
        using SecurePeer located = await SecurePeer.ConnectAsync(node.Node.LocatorEndpoints[0], _ca, bad);
        await goes.SendAsync("12");
        Assert.Equal("2", await goes.ReadLineAsync());
        await located.SendAsync([0x93, 1, 6, 0x90]); // uuid
        Assert.Equal(0x93, (await located.ReadAsync())[0]);
        await stays.SendAsync("1");
        Assert.Equal("1", await stays.ReadLineAsync());

        File.WriteAllText(both, File.ReadAllText(_ca.CaFile));
        node.Node.Doors.Certificates.Look();
        await EndsAsync(goes);
        await EndsAsync(located);
        string serial = bad.Certificate.SerialNumber.TrimStart('0').ToLowerInvariant();
        Assert.Contains($"closed who=@anyone by=certificate serial={serial}", node.Log, StringComparison.Ordinal);
        Assert.Contains($"door={app.Name}/sizes action=connect reason=\"", node.Log, StringComparison.Ordinal);
        await stays.SendAsync("1234");
        Assert.Equal("5", await stays.ReadLineAsync()); // both requests: one stream
        Assert.Equal(1, node.Node.Doors.Certificates.Tls.Doors!.Sessions);
    }

    [Fact]
    public async Task A_client_stays_when_another_list_of_revoked_certificates_comes()
    {
        TestCertificate good = _ca.Issue("good"), revoked = _ca.Issue("revoked");
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server, _ca.Revoke("clients.crl", 10)));
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "mutual")));
        using SecurePeer stays = await SecurePeer.ConnectAsync(app, _ca, good);
        using SecurePeer goes = await SecurePeer.ConnectAsync(app, _ca, revoked);
        await goes.SendAsync("1");
        Assert.Equal("1", await goes.ReadLineAsync());
        _ca.Revoke("clients.crl", 10, revoked);
        node.Node.Doors.Certificates.Look();
        await EndsAsync(goes);
        Assert.Contains("reason=\"certificate revoked\"", node.Log, StringComparison.Ordinal);
        await stays.SendAsync("12345");
        Assert.Equal("5", await stays.ReadLineAsync());
    }

    [Fact]
    public async Task Failed_handshakes_are_lines_of_the_audit_and_repeats_are_counted()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server));
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "mutual")));
        for (int i = 0; i < 5; i++)
        {
            using Socket peer = new(SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
            await peer.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.0\r\n\r\n"));
            while (await peer.ReceiveAsync(new byte[64]).WaitAsync(Limit) > 0)
            {
                // its alert
            }
        }

        const string failed = "denied who=@anyone by=nothing peer=127.0.0.1:";
        Assert.Single(node.Log.Split('\n'), line => line.Contains(failed, StringComparison.Ordinal));
        Assert.Contains($"door={app.Name}/sizes action=handshake reason=\"http request\"", node.Log, StringComparison.Ordinal);
        node.Node.Doors.Keeper.Audit.EndPeriod();
        Assert.Contains("reason=\"http request\" times=4 within=10s", node.Log, StringComparison.Ordinal);
        using JsonDocument info = JsonDocument.Parse(NodeInfo.Text(node.Node));
        JsonElement security = info.RootElement.GetProperty("security");
        Assert.Equal((5, 5), (security.GetProperty("denied").GetInt32(), security.GetProperty("failed").GetInt32()));
    }

    [Fact]
    public async Task Another_timeout_of_handshakes_holds_after_a_reload()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server) with { HandshakeTimeoutMs = 600_000 });
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "on")));
        NodeCertificates certificates = node.Node.Doors.Certificates;
        Assert.True(certificates.Reload(_ca.Config(_server) with { HandshakeTimeoutMs = 200 }));
        using Socket silent = new(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        Stopwatch waited = Stopwatch.StartNew();
        Assert.Equal(0, await silent.ReceiveAsync(new byte[1]).WaitAsync(Limit));
        Assert.InRange(waited.Elapsed.TotalSeconds, 0.1, 25);
        Assert.Contains("action=handshake reason=\"it took too long\"", node.Log, StringComparison.Ordinal);
    }

    private static async Task EndsAsync(SecurePeer peer) =>
        await Assert.ThrowsAnyAsync<IOException>(async () => _ = (await peer.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end"));
}
