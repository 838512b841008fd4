using System.Diagnostics;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Drivers.Tests.Base;

/// <summary>Doors with TLS of a real node, with clients that are not ours.</summary>
public sealed class TlsDoorTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public TlsDoorTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bytes_go_both_ways_and_a_close_notice_is_a_half_close()
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "on"));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca);
        await peer.SendAsync("12345");
        Assert.Equal("5", await peer.ReadLineAsync());
        await peer.EndAsync();
        Assert.Equal("end 5\n", Encoding.ASCII.GetString(await peer.ReadToEndAsync()));
        await app.UntilInfoShowsAsync("\"done\":1,");
        await app.UntilInfoShowsAsync("\"connections\":0,");
        Assert.Equal((1, 0, 0), Counts(node));
    }

    [Theory]
    [InlineData("stream", "12345", "5")]
    [InlineData("none", "5 late", null)]
    [InlineData("line", "5 late\n", null)]
    public async Task A_peer_that_is_cut_off_without_a_close_notice_cancels_its_job(string framing, string request, string? answer)
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Raw(framing == "stream" ? "sizes" : "line", framing, "on"));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca);
        await peer.SendAsync(request);
        if (answer is not null)
        {
            Assert.Equal(answer, await peer.ReadLineAsync());
        }

        await app.UntilInfoShowsAsync("\"running\":1");
        peer.Cut();
        await app.UntilInfoShowsAsync("\"cancelled\":1");
        await app.UntilInfoShowsAsync("\"connections\":0,");
    }

    [Theory]
    [InlineData(BackendType.Thread, 1)]
    [InlineData(BackendType.Thread, 2)]
    [InlineData(BackendType.Process, 1)]
    public async Task Calls_of_docs_protocol_go_over_TLS(BackendType backend, int loops)
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Native(backend, "mutual", loops));
        TestCertificate client = _ca.Issue("client");
        foreach (int _ in Enumerable.Range(0, 4))
        {
            using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, client);
            for (ulong channel = 1; channel < 100; channel++)
            {
                string request = new('x', (int)(channel * channel * 5));
                await peer.SendAsync(NativePeer.Call(channel, "echo", request));
                Assert.Equal(request, await AnswerAsync(peer, channel));
            }
        }
    }

    [Fact]
    public async Task Twenty_megabytes_come_back_as_they_went()
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "stream", keys: ("tls", "on")));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca);
        byte[] all = RandomNumberGenerator.GetBytes(20 << 20);
        Task sending = Task.Run(async () =>
        {
            await peer.SendAsync(all);
            await peer.EndAsync();
        });
        byte[] got = await peer.ReadToEndAsync();
        Assert.True(all.AsSpan().SequenceEqual(got));
        await sending;
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "none", "peer did not return a certificate" },
        { "expired", "certificate has expired" },
        { "future", "certificate is not yet valid" },
        { "other CA", "certificate" }, // of the same name: its signature is wrong
        { "leaf as CA", "certificate" },
        { "usage", "purpose" },
        { "revoked", "certificate revoked" },
        { "TLS 1.2", "unsupported protocol" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_mutual_door_refuses(string form, string reason)
    {
        TestCertificate? client = Certificate(form);
        string crl = _ca.Revoke("clients.crl", 10, form == "revoked" ? [client!] : []);
        await using TestNode node = Start(_ca.Config(_server, crl));
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "mutual"));
        using (SecurePeer good = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue("good")))
        {
            await good.SendAsync("123");
            Assert.Equal("3", await good.ReadLineAsync());
        }

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using SecurePeer peer = await SecurePeer.ConnectAsync(
                app, _ca, client, form == "TLS 1.2" ? SslProtocols.Tls12 : SslProtocols.Tls13);
            await peer.SendAsync("123");
            _ = (await peer.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end");
        });
        await RunProcess.UntilAsync(() => node.Log.Contains(reason, StringComparison.OrdinalIgnoreCase), () => node.Log);
        Assert.Equal((1, 1, 0), Counts(node) with { Item3 = 0 });
    }

    [Fact]
    public async Task A_list_of_revoked_certificates_whose_time_is_over_refuses_everybody()
    {
        string crl = _ca.Revoke("clients.crl", -0.5);
        await using TestNode node = Start(_ca.Config(_server, crl));
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "mutual"));
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue("good"));
            _ = (await peer.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end");
        });
        await RunProcess.UntilAsync(() => node.Log.Contains("CRL has expired", StringComparison.Ordinal), () => node.Log);
        Assert.Contains("clients.crl", node.Log, StringComparison.Ordinal);
    }

    /// <summary>SslStream would not send a key of 1,024 bits; openssl does, at its lowest level.</summary>
    [Theory]
    [InlineData(1024, false)]
    [InlineData(2048, true)]
    public async Task A_key_that_is_too_short_is_refused(int bits, bool isGood)
    {
        TestCertificate client = _ca.Issue("rsa", new CertificateForm { RsaBits = bits });
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "mutual"));
        using Process openssl = Process.Start(new ProcessStartInfo("openssl",
            ["s_client", "-connect", app.Endpoints[0].Endpoint["tcp://".Length..], "-CAfile", _ca.CaFile, "-cert", client.CertificateFile,
                "-key", client.KeyFile, "-cipher", "DEFAULT@SECLEVEL=0", "-quiet"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await openssl.StandardInput.WriteAsync("12345");
        await openssl.StandardInput.FlushAsync();
        Assert.Equal(isGood ? "5" : null, await openssl.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        openssl.Kill();
        await openssl.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(isGood || node.Log.Contains("key too weak", StringComparison.Ordinal), node.Log);
    }

    [Fact]
    public async Task TLS_1_2_is_there_when_the_config_allows_it()
    {
        await using TestNode node = Start(_ca.Config(_server) with { AllowsTls12 = true });
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "mutual"));
        using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca, _ca.Issue("old"), SslProtocols.Tls12);
        await peer.SendAsync("12");
        Assert.Equal("2", await peer.ReadLineAsync());
        Assert.Contains("GCM", peer.Stream.NegotiatedCipherSuite.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(() => SecurePeer.ConnectAsync(app, _ca, _ca.Issue("older"), (SslProtocols)768 /* TLS 1.1 */));
    }

    [Fact]
    public async Task Plain_bytes_and_silence_are_no_handshake()
    {
        await using TestNode node = Start(_ca.Config(_server) with { HandshakeTimeoutMs = 500 });
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "on"));
        using RawPeer plain = RawPeer.Connect(app);
        plain.Send("hello, I speak no TLS\n");
        Assert.InRange(plain.ReadToEnd().Length, 0, 7); // perhaps an alert; never an answer
        using RawPeer silent = RawPeer.Connect(app);
        Assert.Empty(silent.ReadToEnd());
        using RawPeer half = RawPeer.Connect(app);
        half.Send([22, 3, 1, 1, 0, 1, 0]);
        Assert.Empty(half.ReadToEnd());
        await RunProcess.UntilAsync(() => Counts(node) == (0, 3, 0), () => node.Log);
        Assert.Contains("it took too long", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handshakes_under_way_of_one_address_are_bounded()
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "on"));
        List<RawPeer> silent = [.. Enumerable.Range(0, HandshakeGate.MaxOpenOfOne).Select(_ => RawPeer.Connect(app))];
        await RunProcess.UntilAsync(() => node.Node.Doors.Certificates.Tls.Doors!.Gate.Open == silent.Count);
        using RawPeer over = RawPeer.Connect(app);
        Assert.Empty(over.ReadToEnd());
        silent.ForEach(peer => peer.Dispose());
        await RunProcess.UntilAsync(() => node.Node.Doors.Certificates.Tls.Doors!.Gate.Open == 0);
        using SecurePeer good = await SecurePeer.ConnectAsync(app, _ca);
        await good.SendAsync("12");
        Assert.Equal("2", await good.ReadLineAsync());
    }

    [Fact]
    public async Task Many_handshakes_of_one_address_wait_and_none_is_lost()
    {
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(Raw("sizes", "stream", "on"));
        for (int round = 0; round < 8; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
            {
                using SecurePeer peer = await SecurePeer.ConnectAsync(app, _ca);
                await peer.SendAsync("123");
                Assert.Equal("3", await peer.ReadLineAsync());
            }));
        }

        Assert.Equal(128, node.Node.Doors.Certificates.Tls.Doors!.Handshakes);
        await RunProcess.UntilAsync(() => Counts(node) == (128, 0, 0));
    }

    [Fact]
    public async Task A_Unix_socket_has_no_TLS()
    {
        string path = Path.Combine(Path.GetTempPath(), $"tls-{Guid.NewGuid():N}");
        await using TestNode node = Start();
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", endpoint: $"ipc://{path}", keys: ("tls", "mutual")));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("123");
        Assert.Equal("3", peer.ReadLine());
    }

    [Fact]
    public async Task A_task_with_TLS_needs_certificates_of_the_node()
    {
        await using TestNode none = TestNode.Start();
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => none.AddAsync(Raw("sizes", "stream", "on")));
        Assert.Contains("security.tls", failure.Message, StringComparison.Ordinal);
        await using TestNode withoutCa = Start(_ca.Config(_server) with { ClientCaFile = null });
        await Assert.ThrowsAsync<NodeException>(() => withoutCa.AddAsync(Raw("sizes", "stream", "mutual")));
        await withoutCa.AddAsync(Raw("sizes", "stream", "on"));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, "it can be reached by its group (mode 0640): chmod 600")]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, "it can be reached by every user (mode 0404): chmod 600")]
    public void A_key_that_others_can_read_keeps_the_node_from_starting(UnixFileMode mode, string text)
    {
        File.SetUnixFileMode(_server.KeyFile, mode);
        NodeException failure = Assert.Throws<NodeException>(() => Start());
        Assert.Equal($"$.security.tls.key: {_server.KeyFile}: {text}", failure.Message);
    }

    private static (long Handshakes, long Failed, long Sessions) Counts(TestNode node)
    {
        TlsDoors doors = node.Node.Doors.Certificates.Tls.Doors!;
        return (doors.Handshakes, doors.Failed, doors.Sessions);
    }

    private static AppManifest Raw(string task, string framing, string tls) => RawPeer.App(task, framing, keys: ("tls", tls));

    private static AppManifest Native(BackendType backend, string tls, int loops)
    {
        AppManifest app = TestApps.DotNet(backend, new EngineSettings { PoolLimit = loops, Loops = loops });
        return app with { Tasks = [app.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = tls } }] };
    }

    private static async Task<string> AnswerAsync(SecurePeer peer, ulong channel)
    {
        List<byte> received = [];
        StringBuilder answer = new();
        while (true)
        {
            byte[] bytes = [.. received];
            if (MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout) != DecodeStatus.Ok)
            {
                byte[] more = await peer.ReadAsync();
                Assert.NotEmpty(more);
                received.AddRange(more);
                continue;
            }

            received.RemoveRange(0, layout.TotalBytes);
            Assert.True(channel == layout.Channel);
            if (layout.Type is not 0)
            {
                Assert.True(layout.Type == 2);
                return answer.ToString();
            }

            answer.Append(Encoding.UTF8.GetString(bytes, layout.DataOffset, layout.DataLength));
        }
    }

    private TestCertificate? Certificate(string form) => form switch
    {
        "none" => null,
        "expired" => _ca.Issue("expired", new CertificateForm { BeginsInDays = -10, EndsInDays = -1 }),
        "future" => _ca.Issue("future", new CertificateForm { BeginsInDays = 5 }),
        "other CA" => new TestCertificates(_folder, "other").Issue("other-client"),
        "leaf as CA" => _ca.Issue("below", new CertificateForm { SignedBy = _ca.Issue("leaf") }),
        "usage" => _ca.Issue("usage", new CertificateForm { IsForClients = false }),
        _ => _ca.Issue("client"),
    };

    private TestNode Start(TlsConfig? tls = null) => TestNode.Start(tls: tls ?? _ca.Config(_server));
}
