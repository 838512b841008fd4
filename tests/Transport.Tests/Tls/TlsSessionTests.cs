using System.Buffers;
using System.Text;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>Two sessions that talk through memory: certificates, names, records, ends.</summary>
public sealed class TlsSessionTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public TlsSessionTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bytes_go_both_ways_and_a_close_notice_ends_them()
    {
        using SessionPair pair = Open();
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), pair.Handshake());
        Assert.Equal("TLSv1.3", pair.Server.Version);
        ArrayBufferWriter<byte> plain = new();
        Assert.Equal(TlsResult.Ok, pair.Read(pair.Server, pair.Write(pair.Client, "to the server"u8), plain, out _));
        Assert.Equal("to the server", Encoding.UTF8.GetString(plain.WrittenSpan));
        plain.ResetWrittenCount();
        byte[] bytes = [.. pair.ForClient, .. pair.Write(pair.Server, "to the "u8), .. pair.Write(pair.Server, "client"u8), .. pair.CloseNotice(pair.Server)];
        Assert.Equal(TlsResult.Closed, pair.Read(pair.Client, bytes, plain, out _));
        Assert.Equal("to the client", Encoding.UTF8.GetString(plain.WrittenSpan));
    }

    [Fact]
    public void A_record_may_come_byte_by_byte()
    {
        using SessionPair pair = Open();
        pair.Handshake();
        byte[] sent = new byte[TlsSession.MaxPlainBytes];
        new Random(1).NextBytes(sent);
        byte[] record = pair.Write(pair.Client, sent);
        Assert.InRange(record.Length, sent.Length + 1, sent.Length + TlsSession.FrameBytes);
        ArrayBufferWriter<byte> plain = new();
        for (int i = 0; i < record.Length; i++)
        {
            pair.Read(pair.Server, [record[i]], plain, out _);
            Assert.True(pair.Server.HoldsHalfRecord == (i < record.Length - 1), $"byte {i} of {record.Length}");
        }

        Assert.True(plain.WrittenSpan.SequenceEqual(sent));
    }

    [Fact]
    public void A_change_of_keys_loses_nothing()
    {
        using SessionPair pair = Open();
        pair.Handshake();
        ArrayBufferWriter<byte> plain = new();
        for (int i = 0; i < 5; i++)
        {
            pair.Client.UpdateKeys();
            pair.Read(pair.Server, pair.Write(pair.Client, "abc"u8), plain, out byte[] answer);
            pair.Read(pair.Client, [.. i == 0 ? pair.ForClient : [], .. answer, .. pair.Write(pair.Server, "def"u8)], plain, out _);
        }

        Assert.Equal(string.Concat(Enumerable.Repeat("abcdef", 5)), Encoding.UTF8.GetString(plain.WrittenSpan));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("other.example", false)]
    [InlineData("127.0.0.2", false)]
    public void A_client_checks_the_name_of_the_server(string name, bool isRight)
    {
        using SessionPair pair = Open(name: name);
        (_, TlsResult client) = pair.Handshake();
        Assert.Equal(isRight ? TlsResult.Ok : TlsResult.Failed, client);
        if (!isRight)
        {
            Assert.Contains("mismatch", pair.Client.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_client_refuses_a_server_of_another_CA_with_the_same_name()
    {
        TestCertificates other = new(_folder, "other");
        using SessionPair pair = Open(clientCa: other.CaFile);
        Assert.Equal(TlsResult.Failed, pair.Handshake().Client);
        Assert.Contains("certificate verify failed", pair.Client.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mutual_door_wants_a_certificate_and_reads_its_names()
    {
        TestCertificate billing = _ca.Issue("billing", new CertificateForm
        {
            Uris = ["spiffe://shop/billing"],
            Dns = ["billing.shop"],
            Emails = ["b@shop.example"],
        });
        using SessionPair pair = Open(isMutual: true, own: billing);
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), pair.Handshake());
        PeerCertificate peer = PeerNames.Read(pair.Server.PeerChain())!.Certificate;
        Assert.Equal(["URI:spiffe://shop/billing", "DNS:billing.shop", "EMAIL:b@shop.example"], peer.Names);
        Assert.Equal(billing.Certificate.SerialNumber.TrimStart('0').ToLowerInvariant(), peer.SerialHex);
        Assert.Empty(pair.ForClient); // a ticket would let a revoked client come back

        using SessionPair named = Open(isMutual: true, own: _ca.Issue("deploy"));
        named.Handshake();
        Assert.Equal(["CN:deploy"], PeerNames.Read(named.Server.PeerChain())!.Certificate.Names);

        using SessionPair without = Open(isMutual: true);
        Assert.Equal(TlsResult.Failed, without.Handshake().Server);
        Assert.Contains("did not return a certificate", without.Server.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_shows_the_certificate_of_the_name_that_the_client_asks_for()
    {
        TestCertificate named = _ca.Issue("named", new CertificateForm { Dns = ["api.example.org"] });
        using TlsContext server = TlsContext.ForServer(new TlsServerSettings(new TlsIdentity(_server.CertificateFile, _server.KeyFile))
        {
            Names = new Dictionary<string, TlsIdentity> { ["api.example.org"] = new(named.CertificateFile, named.KeyFile) },
        });
        using TlsContext client = SessionPair.ClientOf(_ca.CaFile);
        using SessionPair asked = new(server, client, "API.example.org");
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), asked.Handshake());
        using SessionPair other = new(server, client);
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), other.Handshake());
        server.Dispose(); // its sessions go on
        Assert.Null(server.TryAccept());
        ArrayBufferWriter<byte> plain = new();
        Assert.Equal(TlsResult.Ok, asked.Read(asked.Server, asked.Write(asked.Client, "x"u8), plain, out _));
    }

    [Fact]
    public void Files_that_do_not_fit_are_mistakes_with_the_file()
    {
        TestCertificate other = _ca.Issue("another");
        TestCertificate rsa = _ca.Issue("rsa", new CertificateForm { RsaBits = 2048 });
        TestCertificate weak = _ca.Issue("weak", new CertificateForm { RsaBits = 1024 });
        string broken = _folder.Write("broken.pem", "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n");
        foreach ((string certificate, string key, TlsPart part, string text) in new[]
        {
            (_server.CertificateFile, other.KeyFile, TlsPart.Certificate, "does not belong to the key"),
            (_server.CertificateFile, rsa.KeyFile, TlsPart.Certificate, "does not belong to the key"),
            (_server.CertificateFile, broken, TlsPart.Key, "broken.pem: no key that can be used"),
            (broken, _server.KeyFile, TlsPart.Certificate, "broken.pem: no certificate that can be used"),
            (weak.CertificateFile, weak.KeyFile, TlsPart.Certificate, "key too small"),
            (_folder["none"], _server.KeyFile, TlsPart.Certificate, "Could not find file"),
        })
        {
            TlsException mistake = Assert.Throws<TlsException>(
                () => TlsContext.ForServer(new TlsServerSettings(new TlsIdentity(certificate, key))));
            Assert.Equal(part, mistake.Part);
            Assert.Contains(text, mistake.Message, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(TlsPart.Ca, Assert.Throws<TlsException>(() => SessionPair.ServerOf(_server, broken)).Part);
        Assert.Equal(TlsPart.Crl, Assert.Throws<TlsException>(() => SessionPair.ServerOf(_server, _ca.CaFile, broken)).Part);
    }

    private SessionPair Open(string name = "localhost", bool isMutual = false, TestCertificate? own = null, string? clientCa = null)
    {
        using TlsContext server = SessionPair.ServerOf(_server, isMutual ? _ca.CaFile : null);
        using TlsContext client = SessionPair.ClientOf(clientCa ?? _ca.CaFile, own);
        return new SessionPair(server, client, name);
    }
}
