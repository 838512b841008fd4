using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Certificates;
using Cocaine.Fast.Node.Tests.Daemon;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Node.Tests.Certificates;

/// <summary>Files of TLS that change while the node serves.</summary>
public sealed class CertificateReloadTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public CertificateReloadTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task New_connections_have_the_new_certificate_and_old_ones_stay()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server));
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "on")));
        NodeCertificates certificates = node.Node.Doors.Certificates;
        using SecurePeer old = await SecurePeer.ConnectAsync(app, _ca);
        Assert.Equal(_server.Certificate.SerialNumber, SerialOf(old));
        certificates.Look(); // nothing has changed
        Assert.DoesNotContain("certificates of now", node.Log, StringComparison.Ordinal);

        TestCertificate next = _ca.IssueServer("next");
        File.Copy(next.CertificateFile, _server.CertificateFile, overwrite: true);
        certificates.Look(); // the key is still the old one: a rotation in two steps
        Assert.Contains($"$.security.tls.certificate: {_server.CertificateFile}: the certificate does not belong to the key", node.Log, StringComparison.Ordinal);
        using SecurePeer between = await SecurePeer.ConnectAsync(app, _ca);
        Assert.Equal(_server.Certificate.SerialNumber, SerialOf(between));

        File.Copy(next.KeyFile, _server.KeyFile, overwrite: true);
        certificates.Look();
        using SecurePeer fresh = await SecurePeer.ConnectAsync(app, _ca);
        Assert.Equal(next.Certificate.SerialNumber, SerialOf(fresh));
        await old.SendAsync("123");
        Assert.Equal("3", await old.ReadLineAsync());
        Assert.Equal(next.Certificate.SerialNumber.TrimStart('0').ToLowerInvariant(), certificates.Tls.Doors!.Certificates[0].SerialHex);
    }

    [Fact]
    public async Task A_revoked_client_is_disconnected_and_does_not_come_back()
    {
        TestCertificate good = _ca.Issue("good"), bad = _ca.Issue("bad");
        string crl = _ca.Revoke("clients.crl", 10);
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server, crl));
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "mutual")));
        using SecurePeer stays = await SecurePeer.ConnectAsync(app, _ca, good);
        using SecurePeer goes = await SecurePeer.ConnectAsync(app, _ca, bad);
        await goes.SendAsync("12");
        Assert.Equal("2", await goes.ReadLineAsync());
        _ca.Revoke("clients.crl", 10, bad);
        node.Node.Doors.Certificates.Look();
        await Assert.ThrowsAnyAsync<IOException>(async () => _ = (await goes.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end"));
        Assert.Contains("is refused by now: certificate revoked", node.Log, StringComparison.Ordinal);
        await app.UntilInfoShowsAsync("\"cancelled\":1");
        await stays.SendAsync("1234");
        Assert.Equal("4", await stays.ReadLineAsync());
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using SecurePeer again = await SecurePeer.ConnectAsync(app, _ca, bad);
            _ = (await again.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end");
        });
    }

    [Fact]
    public async Task A_CA_that_is_removed_takes_along_its_clients_behind_an_intermediate_CA()
    {
        TestCertificates other = new(_folder, "other");
        TestCertificate middle = _ca.Issue("middle", new CertificateForm { IsAuthority = true });
        TestCertificate behind = _ca.Issue("behind", new CertificateForm { SignedBy = middle }), stays = other.Issue("stays");
        string chain = _folder.Write("chain.pem", File.ReadAllText(behind.CertificateFile) + "\n" + File.ReadAllText(middle.CertificateFile));
        string first = File.ReadAllText(_ca.CaFile) + "\n", second = File.ReadAllText(other.CaFile) + "\n";
        string roots = _folder.Write("roots.pem", first + second);
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server) with { ClientCaFile = roots });
        AppManifest shop = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(shop with { Tasks = [shop.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = "mutual" } }] });
        await using CocaineClient goes = await ConnectAsync(chain, behind), remains = await ConnectAsync(stays.CertificateFile, stays);
        await CallBothAsync();
        ChangeRoots(second + first); // both are judged again, the one behind the intermediate CA by its whole chain
        await CallBothAsync();
        ChangeRoots(second);
        await Assert.ThrowsAsync<ConnectionLostException>(() => goes.CallAsync("echo", Utf8.Of("x")));
        Assert.Equal("x", Utf8.TextOf(await remains.CallAsync("echo", Utf8.Of("x"))));
        await Assert.ThrowsAsync<ConnectionLostException>(async () =>
        {
            await using CocaineClient again = await ConnectAsync(chain, behind);
            await again.CallAsync("echo", Utf8.Of("x"));
        });
        Assert.Contains("is refused by now: unable to get", node.Log, StringComparison.Ordinal);

        async Task CallBothAsync()
        {
            Assert.Equal("x", Utf8.TextOf(await goes.CallAsync("echo", Utf8.Of("x"))));
            Assert.Equal("x", Utf8.TextOf(await remains.CallAsync("echo", Utf8.Of("x"))));
        }

        void ChangeRoots(string text)
        {
            File.Move(_folder.Write("roots.new", text), roots, overwrite: true);
            node.Node.Doors.Certificates.Look();
        }

        Task<CocaineClient> ConnectAsync(string file, TestCertificate own) => CocaineClient.ConnectAsync(
            app.Endpoints[0].Endpoint.Replace("tcp://", "tls://", StringComparison.Ordinal),
            new ClientOptions { Tls = new ClientTls { CaFile = _ca.CaFile, CertificateFile = file, KeyFile = own.KeyFile, ServerName = "localhost" } });
    }

    [Fact]
    public async Task A_reload_of_the_config_reads_other_files()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, Keys(_server));
        string file = _folder.Write("shop.json", File.ReadAllText(_folder.Manifest("shop")).Replace("\"events\": \"*\"", "\"events\": \"*\", \"tls\": \"on\""));
        RunningApp app = await daemon.CreateAsync(file);
        TestCertificate next = _ca.IssueServer("next");
        await daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, Keys(next)));
        using SecurePeer fresh = await SecurePeer.ConnectAsync(app, _ca);
        Assert.Equal(next.Certificate.SerialNumber, SerialOf(fresh));
        await daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, ""));
        Assert.Contains("security.tls", daemon.Log, StringComparison.Ordinal); // takes a restart
    }

    [Fact]
    public void Ends_are_told_in_time_and_once()
    {
        using LogLines log = new();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        EndWarnings warnings = new(log.CreateLogger("test")) { NowUtc = () => now };
        using TlsContexts files = TlsContexts.Read(_ca.Config(_server, _ca.Revoke("clients.crl", 20)));
        warnings.Look(files, "clients.crl");
        Assert.Empty(log.Lines);
        foreach ((double day, string text) in new[] { (17.0, "in 14 days"), (28.0, "in 3 days"), (29.5, "in 1 days"), (31.0, "the certificate ended") })
        {
            now = DateTimeOffset.UtcNow.AddDays(day);
            warnings.Look(files, "clients.crl");
            warnings.Look(files, "clients.crl");
            Assert.Single(log.Lines, line => line.Contains(text, StringComparison.Ordinal));
        }

        Assert.Single(log.Lines, line => line.Contains("list of revoked certificates ended", StringComparison.Ordinal));
    }

    /// <summary>Certificates with two kinds of keys take turns under load: no call and no handshake fails.</summary>
    [Fact]
    public async Task Rotation_under_load_fails_no_call()
    {
        TestCertificate[] turns = [_ca.IssueServer("ec"), _ca.IssueServer("rsa", rsaBits: 2048)];
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server));
        AppManifest shop = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(shop with { Tasks = [shop.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = "mutual" } }] });
        NodeCertificates certificates = node.Node.Doors.Certificates;
        TestCertificate client = _ca.Issue("client");
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(4));
        int calls = 0, rotations = 0;
        Task rotating = Task.Run(() =>
        {
            for (; !end.IsCancellationRequested; rotations++)
            {
                TestCertificate next = turns[rotations % 2];
                Assert.True(certificates.Reload(_ca.Config(next)));
                Thread.Sleep(50); // between two rotations, not for anything to happen
            }
        });
        Task[] clients = [.. Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, client);
                for (ulong channel = 1; channel <= 20; channel++)
                {
                    await peer.SendAsync(NativePeer.Call(channel, "echo", "hello"));
                    Assert.NotEmpty(await peer.ReadAsync());
                    Interlocked.Increment(ref calls);
                }
            }
        }))];
        await Task.WhenAll([rotating, .. clients]);
        Assert.True(rotations > 10 && calls > 100, $"{rotations} rotations, {calls} calls");
        Assert.Equal(0, certificates.Tls.Doors!.Failed);
        await RunProcess.UntilAsync(() => certificates.Tls.Doors!.Sessions == 0);
    }

    private static string SerialOf(SecurePeer peer) => ((X509Certificate2)peer.Stream.RemoteCertificate!).SerialNumber;

    private string Keys(TestCertificate server) => $$"""
        "security": { "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}", "client-ca": "{{_ca.CaFile}}" } }
        """;
}
