using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>Links with TLS: both nodes show a certificate of one CA, and the proof of the cluster's secret belongs to the session.</summary>
[Collection(nameof(Alone))] // a proof has its second, which the simulations beside it would take
public sealed class TlsLinkTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _certificates;
    private readonly List<TlsDoors> _doors = [];

    public TlsLinkTests() => _certificates = new TestCertificates(_folder);

    public void Dispose()
    {
        _doors.ForEach(doors => doors.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task Jobs_go_over_a_link_with_TLS_and_go_on_when_the_certificates_are_renewed()
    {
        TlsDoors ofA = Doors("a"), ofB = Doors("b");
        await using PeerNode a = await PeerNode.StartAsync("a", queueLimit: 100, tls: ofA);
        await using PeerNode b = await PeerNode.StartAsync("b", queueLimit: 100, tls: ofB);
        a.Knows(b);
        await a.LinkAsync(1);
        long handshakes = ofB.Handshakes;
        List<TestCall> calls = [];
        for (int i = 0; i < 40; i++)
        {
            calls.Add(await a.CallAsync("sleep 20"));
            if (i == 20)
            {
                ofA.Use(TlsContexts.Read(_certificates.Config(_certificates.IssueServer("a2"))));
                ofB.Use(TlsContexts.Read(_certificates.Config(_certificates.IssueServer("b2"))));
            }
        }

        foreach (TestCall call in calls)
        {
            Assert.Equal(0, (await call.Ended).Code);
        }

        Assert.True(b.Begun > 0);
        Assert.Equal(handshakes, ofB.Handshakes); // the link is the one of before
        await b.On(() => { b.App.Sessions[0].Close("cut"); return true; });
        await a.UntilAsync(() =>
        {
            _ = a.Forwarder.Choose(new Core.Balancing.OwnQueue(0, 1, 0, false));
            return a.Forwarder.Links.Count == 1 && ofB.Handshakes > handshakes;
        });
        Assert.Equal(0, (await (await a.CallAsync("echo")).Ended).Code); // and the next one has the new certificates
        Assert.True(await a.HoldsAsync());
    }

    [Fact]
    public async Task A_revoked_node_loses_its_links()
    {
        TestCertificate own = _certificates.IssueServer("a");
        TlsDoors ofA = DoorsOf(own), ofB = Doors("b");
        await using PeerNode a = await PeerNode.StartAsync("a", tls: ofA), b = await PeerNode.StartAsync("b", tls: ofB);
        a.Knows(b);
        await a.LinkAsync(1);
        string crl = _certificates.Revoke("revoked.crl", 30, own);
        ofB.Use(TlsContexts.Read(_certificates.Config(_certificates.IssueServer("b"), crl)));
        await b.UntilAsync(() => b.App.Sessions.Count == 0);
        await a.UntilAsync(() => a.Log.Any(line => line.Contains("no link to node b", StringComparison.Ordinal)));
        Assert.Empty(await b.On(() => b.App.Sessions));
    }

    [Theory]
    [InlineData("no TLS")]
    [InlineData("no certificate")]
    [InlineData("another CA")]
    [InlineData("the secret without the session")]
    public async Task A_caller_that_is_not_wanted_gets_no_link(string kind)
    {
        await using PeerNode node = await PeerNode.StartAsync("b", tls: Doors("b"));
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(node.Port);
        Stream stream = new NetworkStream(socket);
        if (kind != "no TLS")
        {
            TestCertificates ca = kind == "another CA" ? new TestCertificates(_folder, "other") : _certificates;
            stream = await SecureAsync(stream, kind == "no certificate" ? null : ca.IssueServer("raw"));
        }

        try
        {
            await SendAsync(stream, PeerHello.Of(new PeerIdentity("cluster", "raw", 1, PeerNode.Secret), PeerNode.AppName).Write);
            if (kind == "the secret without the session")
            {
                RawMessage answer = await ReadAsync(stream);
                PeerHello hello = PeerHello.Of(new PeerIdentity("cluster", "raw", 1, PeerNode.Secret), PeerNode.AppName);
                Assert.False(hello.TryReadAnswer(answer.Arguments, PeerNode.Secret, out _, out byte[] nonce)); // it covers the session
                await SendAsync(stream, sink => hello.WriteProof(sink, PeerNode.Secret, "b", nonce));
            }

            while (await stream.ReadAsync(new byte[4096]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)) > 0)
            {
            }
        }
        catch (IOException)
        {
            // an alert, or a reset
        }

        Assert.Empty(await node.On(() => node.App.Sessions));
    }

    /// <summary>
    /// The one in the middle has a certificate of the CA, but not the secret. It passes the hello on, as it comes, between two sessions.
    /// </summary>
    [Fact]
    public async Task Nobody_between_two_nodes_can_pass_their_proofs_on()
    {
        await using PeerNode a = await PeerNode.StartAsync("a", tls: Doors("a")), b = await PeerNode.StartAsync("b", tls: Doors("b"));
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        TestCertificate middle = _certificates.IssueServer("middle");
        a.Knows("b", new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port));
        Task relay = RelayAsync(listener, b.Port, middle);
        await a.CallAsync("hang");
        await a.UntilAsync(() =>
        {
            _ = a.Forwarder.Choose(new Core.Balancing.OwnQueue(0, 1, 0, false));
            return a.Log.Any(line => line.Contains("no proof that the other side is the node that was called", StringComparison.Ordinal));
        });
        Assert.Empty(await b.On(() => b.App.Sessions));
        Assert.Empty(await a.On(() => a.Forwarder.Links));
        listener.Dispose();
        await relay;
    }

    private TlsDoors Doors(string name) => DoorsOf(_certificates.IssueServer(name));

    private TlsDoors DoorsOf(TestCertificate own)
    {
        TlsDoors doors = new(TlsContexts.Read(_certificates.Config(own)), 10_000, NullLogger.Instance, new Audit(NullLogger.Instance, TimeProvider.System));
        _doors.Add(doors);
        return doors;
    }

    private static async Task RelayAsync(Socket listener, IPEndPoint to, TestCertificate own)
    {
        try
        {
            while (true)
            {
                using Socket caller = await listener.AcceptAsync();
                using Socket called = new(SocketType.Stream, ProtocolType.Tcp);
                await called.ConnectAsync(to);
                await using SslStream fromCaller = new(new NetworkStream(caller), false, (_, _, _, _) => true);
                await fromCaller.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = X509Certificate2.CreateFromPemFile(own.CertificateFile, own.KeyFile),
                    ClientCertificateRequired = true,
                    ApplicationProtocols = [new SslApplicationProtocol("cocaine-fast/1")],
                });
                await using Stream toCalled = await SecureAsync(new NetworkStream(called), own);
                await Task.WhenAny(fromCaller.CopyToAsync(toCalled), toCalled.CopyToAsync(fromCaller));
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or IOException)
        {
            // the test is over
        }
    }

    private static async Task<Stream> SecureAsync(Stream plain, TestCertificate? own)
    {
        SslStream secured = new(plain, false, (_, _, _, _) => true);
        await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificates = own is null ? null : [X509Certificate2.CreateFromPemFile(own.CertificateFile, own.KeyFile)],
        });
        return secured;
    }

    private static async Task SendAsync(Stream stream, Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        await stream.WriteAsync(sink.Written.ToArray());
    }

    private static async Task<RawMessage> ReadAsync(Stream stream)
    {
        byte[] bytes = new byte[4096];
        for (int length = 0; ;)
        {
            int count = await stream.ReadAsync(bytes.AsMemory(length)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.True(count > 0);
            length += count;
            if (MessageDecoder.Decode(bytes.AsSpan(0, length), ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                return new RawMessage(layout.Channel, layout.Type, layout.Category, layout.Code,
                    bytes[layout.ArgumentsOffset..(layout.ArgumentsOffset + layout.ArgumentsLength)]);
            }
        }
    }
}
