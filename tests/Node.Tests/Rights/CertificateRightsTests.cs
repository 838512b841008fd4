using System.Text;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>Callers that are known by the names of their certificates.</summary>
public sealed class CertificateRightsTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;

    public CertificateRightsTests() => _ca = new TestCertificates(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_name_of_the_certificate_gives_the_rights_of_its_identity_and_no_others()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_ca.IssueServer()), security: Security.Of("""
            { "identities": { "billing": { "certificate": "URI:spiffe://shop/billing" }, "stock": { "certificate": "DNS:stock.shop" } },
              "rights": [ { "who": "billing", "call": { "*": "echo" } }, { "who": "stock", "call": { "*": "count" } } ] }
            """));
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "line", keys: ("tls", "mutual")));
        Assert.Equal("x", await AskAsync(app, "billing", new CertificateForm { Uris = ["spiffe://shop/billing"], Dns = ["other.shop"] }));
        Assert.Contains("403", await AskAsync(app, "stock", new CertificateForm { Dns = ["stock.shop"] }));
        string stranger = await AskAsync(app, "stranger", new CertificateForm { Uris = ["spiffe://shop/billing/more"] });
        Assert.True(stranger.Contains("401") && stranger.Contains("your certificate names nobody known here"), stranger);
        Assert.Contains("denied who=stock by=certificate serial=", node.Log);
        Assert.Contains("event=echo reason=unknown-certificate", node.Log);
    }

    [Fact]
    public async Task A_token_counts_on_an_encrypted_connection()
    {
        await using TestNode node = TestNode.Start(tls: _ca.Config(_ca.IssueServer()), security: Security.Of(
            $$"""{ "identities": { "batch": { "token": "{{Security.Kept("t0ken")}}" } }, "rights": [ { "who": "batch", "call": { "*": "echo" } } ] }"""));
        RunningApp app = await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0"], "event", ("tls", "on")));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca);
        await peer.SendAsync(NativePeer.Call(1, "echo", "a text that comes back", "authorization", "Bearer t0ken"));
        Assert.Contains("a text that comes back", Encoding.ASCII.GetString(await peer.ReadAsync()));
    }

    private async Task<string> AskAsync(RunningApp app, string name, CertificateForm form)
    {
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue(name, form));
        await peer.SendAsync("x\n");
        return await peer.ReadLineAsync();
    }
}
