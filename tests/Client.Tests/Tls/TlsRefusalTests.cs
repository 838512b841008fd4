using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Client.Tests.Tls;

/// <summary>Servers and clients that fail a check of TLS: no call is made, and the error names the check.</summary>
public sealed class TlsRefusalTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _certificates;

    public TlsRefusalTests() => _certificates = new TestCertificates(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_is_known_by_its_address_and_by_its_name()
    {
        using OpenSslServer server = await OpenSslServer.StartAsync(_certificates.IssueServer());
        await (await CocaineClient.ConnectAsync(server.Endpoint, Trusting())).DisposeAsync();
        await (await CocaineClient.ConnectAsync(server.Endpoint, Trusting() with { Tls = Trusting().Tls! with { ServerName = "localhost" } })).DisposeAsync();
    }

    [Theory]
    [InlineData("other.example", "(asked for 'other.example'): it is not for this name")]
    [InlineData("10.0.0.1", "(asked for '10.0.0.1'): it is not for this address")]
    [InlineData("localhost.", "it is not for this name")]
    public async Task A_server_of_another_name_is_refused(string name, string text)
    {
        using OpenSslServer server = await OpenSslServer.StartAsync(_certificates.IssueServer());
        Assert.Contains(text, await RefusedAsync(server.Endpoint, Trusting() with { Tls = Trusting().Tls! with { ServerName = name } }));
    }

    [Fact]
    public async Task The_common_name_of_a_certificate_with_other_names_does_not_count()
    {
        TestCertificate certificate = _certificates.Issue("127.0.0.1", new CertificateForm { Dns = ["localhost"] });
        using OpenSslServer server = await OpenSslServer.StartAsync(certificate);
        Assert.Contains("it is not for this address", await RefusedAsync(server.Endpoint, Trusting()));
    }

    [Fact]
    public async Task A_server_whose_certificate_is_not_valid_is_refused()
    {
        CertificateForm good = new() { Addresses = ["127.0.0.1"] };
        (CertificateForm Form, string Text)[] bad =
        [
            (good with { BeginsInDays = -10, EndsInDays = -1 }, "it has ended"),
            (good with { BeginsInDays = 1 }, "it has not begun"),
            (good with { IsForServers = false }, "it is not for servers"),
            (good with { SignedBy = _certificates.Issue("leaf", good) }, "certificate verify failed"), // signed by one that is no authority
            (good with { RsaBits = 1024 }, "certificate verify failed"),
        ];
        foreach ((CertificateForm form, string text) in bad)
        {
            string level = form.RsaBits > 0 ? "-cipher DEFAULT@SECLEVEL=0" : ""; // otherwise the server itself refuses so short a key
            using OpenSslServer server = await OpenSslServer.StartAsync(_certificates.Issue("server", form), level);
            Assert.Contains(text, await RefusedAsync(server.Endpoint, Trusting()));
        }
    }

    [Fact]
    public async Task A_server_of_another_authority_is_refused_and_so_is_one_that_the_system_does_not_know()
    {
        TestCertificates others = new(_folder, "other"); // of the same name
        using OpenSslServer server = await OpenSslServer.StartAsync(others.IssueServer("foreign"));
        Assert.Contains("certificate verify failed", await RefusedAsync(server.Endpoint, Trusting()));
        Assert.Contains("certificate verify failed", await RefusedAsync(server.Endpoint, new ClientOptions { Tls = new ClientTls() }));
        Assert.Contains("certificate verify failed", await RefusedAsync(server.Endpoint, new ClientOptions()));
        using OpenSslServer alone = await OpenSslServer.StartAsync(others.Ca);
        Assert.Contains("it is signed by an authority that is not known here", await RefusedAsync(alone.Endpoint, Trusting()));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_1 -cipher DEFAULT@SECLEVEL=0")]
    public async Task A_server_of_an_older_TLS_is_refused(string version)
    {
        using OpenSslServer server = await OpenSslServer.StartAsync(_certificates.IssueServer(), version);
        Assert.Contains("the server does not speak TLS 1.3", await RefusedAsync(server.Endpoint, Trusting()));
    }

    [Fact]
    public async Task A_client_that_the_server_refuses_learns_why_with_its_first_call()
    {
        using OpenSslServer server = await OpenSslServer.StartAsync(
            _certificates.IssueServer(), $"-Verify 3 -verify_return_error -CAfile '{_certificates.CaFile}'");
        Assert.EndsWith("the server lets in only clients with a certificate, and this one has none", await LostAsync(server, null));
        TestCertificate foreign = new TestCertificates(_folder, "other").Issue("stranger");
        Assert.Contains("alert", await LostAsync(server, foreign));
        TestCertificate old = _certificates.Issue("old", new CertificateForm { BeginsInDays = -10, EndsInDays = -1 });
        Assert.EndsWith("this client's certificate has ended, or has not begun", await LostAsync(server, old));
    }

    [Fact]
    public async Task A_server_without_TLS_and_one_that_says_nothing_are_told_in_time()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string endpoint = $"tls://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}";
        Task<Socket> accepting = listener.AcceptAsync();
        Task<string> refused = RefusedAsync(endpoint, Trusting());
        using (Socket plain = await accepting)
        {
            await plain.SendAsync(Utf8.Of("HTTP/1.1 400 Bad Request\r\n\r\n"));
            Assert.Contains("no TLS is spoken there", await refused);
        }

        Stopwatch time = Stopwatch.StartNew();
        string silent = await RefusedAsync(endpoint, Trusting() with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Contains("the TLS handshake took too long; is TLS spoken there?", silent);
        Assert.InRange(time.ElapsedMilliseconds, 250, 20_000);

        using CancellationTokenSource stop = new();
        Task connecting = CocaineClient.ConnectAsync(endpoint, Trusting(), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Limit));
    }

    [Fact]
    public async Task Settings_that_are_wrong_are_told_before_anything_is_sent()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        TestCertificate own = _certificates.Issue("own"), other = _certificates.Issue("other-own");
        (string Scheme, ClientTls Tls, string Text)[] wrong =
        [
            ("tls", new ClientTls { CaFile = _folder["none.pem"] }, "none.pem cannot be "),
            ("tls", new ClientTls { CertificateFile = own.CertificateFile }, "belong together"),
            ("tls", new ClientTls { KeyFile = own.KeyFile }, "belong together"),
            ("tls", new ClientTls { CertificateFile = own.CertificateFile, KeyFile = other.KeyFile }, "does not belong to the key"),
            ("tls", new ClientTls { CertificateFile = own.KeyFile, KeyFile = own.KeyFile }, "no certificate that can be used"),
            ("tcp", new ClientTls(), "has no TLS, and the options ask for it"),
        ];
        foreach ((string scheme, ClientTls tls, string text) in wrong)
        {
            FormatException mistake = await Assert.ThrowsAsync<FormatException>(
                () => CocaineClient.ConnectAsync($"{scheme}://127.0.0.1:{port}", new ClientOptions { Tls = tls }));
            Assert.Contains(text, mistake.Message);
        }

        FormatException nameless = await Assert.ThrowsAsync<FormatException>(() => CocaineClient.ConnectAsync($"tls://lo:{port}", Trusting()));
        Assert.Equal($"'tls://lo:{port}': 'lo' stands for addresses of this host, and no certificate has it: give the server's name too", nameless.Message);
        FormatException unread = await Assert.ThrowsAsync<FormatException>(() => CocaineClient.ConnectAsync("tls:///run/x.sock", Trusting()));
        Assert.StartsWith("'tls:///run/x.sock' is not an endpoint: tls://HOST:PORT", unread.Message);
        Assert.False(listener.Poll(0, SelectMode.SelectRead)); // nobody connected
    }

    private static async Task<string> RefusedAsync(string endpoint, ClientOptions options)
    {
        ConnectionLostException refused = await Assert.ThrowsAsync<ConnectionLostException>(
            () => CocaineClient.ConnectAsync(endpoint, options).WaitAsync(Limit));
        Assert.StartsWith($"cannot connect to {endpoint}: ", refused.Message);
        return refused.Message;
    }

    private async Task<string> LostAsync(OpenSslServer server, TestCertificate? own)
    {
        ClientTls tls = Trusting().Tls! with { CertificateFile = own?.CertificateFile, KeyFile = own?.KeyFile };
        ConnectionLostException lost = await Assert.ThrowsAsync<ConnectionLostException>(async () =>
        {
            await using CocaineClient client = await CocaineClient.ConnectAsync(server.Endpoint, new ClientOptions { Tls = tls });
            await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit);
        });
        return lost.Message;
    }

    private ClientOptions Trusting() => new() { Tls = new ClientTls { CaFile = _certificates.CaFile } };
}
