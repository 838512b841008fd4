using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Tests.Daemon;

namespace Cocaine.Fast.Node.Tests.Certificates;

/// <summary>The certificates of a node: its config, its doors, its info.</summary>
public sealed class NodeCertificatesTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public NodeCertificatesTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Info_of_the_node_has_its_certificates_and_counts()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_server));
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", keys: ("tls", "mutual")));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue("client"));
        await peer.SendAsync("1");
        Assert.Equal("1", await peer.ReadLineAsync());
        using JsonDocument info = JsonDocument.Parse(NodeInfo.Text(node.Node));
        JsonElement security = info.RootElement.GetProperty("security");
        Assert.Equal((1, 0, 0, 1), (Number(security, "handshakes"), Number(security, "failed"), Number(security, "in-handshake"), Number(security, "sessions")));
        JsonElement certificate = security.GetProperty("certificates")[0];
        Assert.Equal("CN=server", certificate.GetProperty("subject").GetString());
        Assert.Equal(_server.Certificate.SerialNumber.TrimStart('0').ToLowerInvariant(), certificate.GetProperty("serial").GetString());
        Assert.Equal(_server.Certificate.NotAfter.ToUniversalTime(), certificate.GetProperty("not-after").GetDateTimeOffset().UtcDateTime);
    }

    [Fact]
    public async Task A_node_without_certificates_says_nothing_of_them()
    {
        await using TestNode node = TestNode.Start();
        using JsonDocument info = JsonDocument.Parse(NodeInfo.Text(node.Node));
        Assert.False(info.RootElement.GetProperty("security").TryGetProperty("certificates", out _));
    }

    [Fact]
    public async Task Rules_know_a_client_by_its_certificate()
    {
        SecurityConfig rules = new()
        {
            Identities = [new Identity { Name = "billing", Certificates = ["URI:spiffe://shop/billing"] }],
            Rights = [new RightsRule { Callers = ["billing"], Calls = [new CallGrant(new NamePattern("*"), [new NamePattern("echo")])] }],
        };
        await using TestNode node = TestNode.Start(security: rules, tls: _ca.Config(_server));
        AppManifest shop = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(shop with { Tasks = [shop.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = "mutual" } }] });
        TestCertificate billing = _ca.Issue("billing", new CertificateForm { Uris = ["spiffe://shop/billing"] });
        Assert.Contains("hello", await CallAsync(app, billing, "echo"), StringComparison.Ordinal);
        Assert.Contains("billing may not call 'other'", await CallAsync(app, billing, "other"), StringComparison.Ordinal);
        Assert.Contains("your certificate names nobody known here", await CallAsync(app, _ca.Issue("stranger"), "echo"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_locator_answers_over_TLS_alone_when_the_config_says_so()
    {
        await using TestNode node = TestNode.Start(locator: "tcp://127.0.0.1:0", tls: _ca.Config(_server), locatorTls: DoorTls.Mutual);
        string endpoint = node.Node.LocatorEndpoints[0];
        using SecurePeer peer = await SecurePeer.ConnectAsync(endpoint, _ca, _ca.Issue("client"));
        await peer.SendAsync([0x93, 1, 6, 0x90]); // uuid
        Assert.Equal(0x93, (await peer.ReadAsync())[0]);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using SecurePeer nobody = await SecurePeer.ConnectAsync(endpoint, _ca);
            _ = (await nobody.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end");
        });
    }

    [Fact]
    public async Task A_manifest_that_wants_TLS_of_a_node_without_it_is_refused_with_its_place()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        string file = _folder.Write("shop.json", File.ReadAllText(_folder.Manifest("shop")).Replace("\"events\": \"*\"", "\"events\": \"*\", \"tls\": \"on\""));
        ManifestException mistake = await Assert.ThrowsAsync<ManifestException>(() => daemon.CreateAsync(file));
        Assert.Equal($"{file}:3:104: $.tasks.echo.tls: the node's config has no certificate for it: security.tls", mistake.Message);
        Assert.Empty(daemon.Running);
    }

    [Fact]
    public async Task A_daemon_with_certificates_serves_TLS()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, Keys());
        string file = _folder.Write("shop.json", File.ReadAllText(_folder.Manifest("shop")).Replace("\"events\": \"*\"", "\"events\": \"*\", \"tls\": \"mutual\""));
        RunningApp app = await daemon.CreateAsync(file);
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue("client"));
        await peer.SendAsync(NativePeer.Call(1, "echo", "hello"));
        Assert.Contains("hello", System.Text.Encoding.ASCII.GetString(await peer.ReadAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("key", "node.json:1:", "$.security.tls.key: ", "it can be reached by its group (mode 0640): chmod 600")]
    [InlineData("ended", "node.json:1:", "$.security.tls.certificate: ", "ended on ")]
    [InlineData("other", "node.json:1:", "$.security.tls.certificate: ", "does not belong to the key")]
    [InlineData("ca", "node.json:1:", "$.security.tls.client-ca: ", "cannot be read: ")]
    public async Task A_mistake_in_the_files_keeps_the_daemon_from_starting_and_has_its_place(string what, string file, string path, string text)
    {
        string keys = Keys();
        switch (what)
        {
            case "key":
                File.SetUnixFileMode(_server.KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
                break;
            case "ended":
                File.Copy(_ca.Issue("old", new CertificateForm { BeginsInDays = -9, EndsInDays = -1 }).CertificateFile, _server.CertificateFile, overwrite: true);
                break;
            case "other":
                File.Copy(_ca.Issue("another").CertificateFile, _server.CertificateFile, overwrite: true);
                break;
            default:
                File.Delete(_ca.CaFile);
                break;
        }

        NodeException mistake = await Assert.ThrowsAsync<NodeException>(() => TestDaemon.StartAsync(_folder, keys));
        Assert.Contains(file, mistake.Message, StringComparison.Ordinal);
        Assert.Contains(path, mistake.Message, StringComparison.Ordinal);
        Assert.Contains(text, mistake.Message, StringComparison.Ordinal);
    }

    private async Task<string> CallAsync(RunningApp app, TestCertificate client, string name)
    {
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, client);
        await peer.SendAsync(NativePeer.Call(1, name, "hello"));
        return System.Text.Encoding.Latin1.GetString(await peer.ReadAsync());
    }

    private static long Number(JsonElement security, string name) => security.GetProperty(name).GetInt64();

    private string Keys() => $$"""
        "security": { "tls": { "certificate": "{{_server.CertificateFile}}", "key": "{{_server.KeyFile}}", "client-ca": "{{_ca.CaFile}}" } }
        """;
}
