using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>Connections of a loop over TLS, with peers that are not ours: SslStream and openssl.</summary>
public sealed class TlsConnectionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _certificate;
    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);

    public TlsConnectionTests()
    {
        _ca = new TestCertificates(_folder);
        _certificate = _ca.IssueServer();
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _loop.Start("test");
    }

    private int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        _listener.Dispose();
        _loop.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(64, 2000)]
    [InlineData(4096, 200)]
    [InlineData(16 << 10, 50)]
    [InlineData(100_000, 20)]
    [InlineData(3 << 20, 2)]
    public async Task SslStream_gets_back_every_byte(int sizeBytes, int count)
    {
        (Echo echo, SslStream client) = await OpenAsync();
        byte[] sent = new byte[sizeBytes];
        byte[] got = new byte[sizeBytes];
        for (int i = 0; i < count; i++)
        {
            RandomNumberGenerator.Fill(sent);
            Task writing = client.WriteAsync(sent).AsTask();
            await client.ReadExactlyAsync(got).AsTask().WaitAsync(Limit);
            await writing;
            Assert.True(sent.AsSpan().SequenceEqual(got));
        }

        await client.ShutdownAsync();
        Assert.Equal("the peer closed the connection", await echo.Ended.WaitAsync(Limit));
        Assert.Equal(0, await client.ReadAsync(got).AsTask().WaitAsync(Limit)); // a regular end
    }

    [Fact]
    public async Task Requests_that_come_together_are_answered_in_one_record()
    {
        (Echo echo, SslStream client) = await OpenAsync();
        OnLoopThread.Run(_loop, () =>
        {
            for (int i = 0; i < 8; i++)
            {
                echo.Output.Write("12345678"u8);
            }

            echo.ScheduleSend();
        });
        Assert.Equal(64, await client.ReadAsync(new byte[1000]).AsTask().WaitAsync(Limit));
    }

    [Fact]
    public async Task A_peer_that_ends_without_a_close_notice_has_failed()
    {
        (Echo echo, SslStream client) = await OpenAsync();
        await client.WriteAsync("abc"u8.ToArray());
        await client.ReadExactlyAsync(new byte[3]);
        client.Dispose(); // SslStream sends no notice here
        Assert.Equal("TLS: the peer ended without a close notice", await echo.Ended.WaitAsync(Limit));
        Assert.False(echo.HasRegularEnd);
    }

    [Fact]
    public async Task Bytes_that_are_no_record_are_told_to_the_peer_and_end_the_connection()
    {
        (Echo echo, Socket socket, TlsSession session) = await OpenOwnAsync();
        socket.Send([23, 3, 3, 0, 20, .. new byte[20]]);
        Assert.StartsWith("TLS: ", await echo.Ended.WaitAsync(Limit), StringComparison.Ordinal);
        byte[] came = new byte[4096];
        Assert.InRange(await socket.ReceiveAsync(came).WaitAsync(Limit), 20, came.Length); // the alert
        Assert.Equal(0, await socket.ReceiveAsync(came).WaitAsync(Limit));
        session.Dispose();
        socket.Dispose();
    }

    /// <summary>64 KiB of records with one byte each, or with nothing but a change of keys, take several turns, and nothing is lost.</summary>
    [Theory]
    [InlineData(5000, false)]
    [InlineData(2000, true)]
    public async Task Records_of_one_byte_come_over_several_turns(int count, bool changesKeys)
    {
        (Echo echo, Socket socket, TlsSession session) = await OpenOwnAsync();
        byte[] records = Records(session, count, changesKeys);
        Task sending = Task.Run(() => socket.Send(records));
        await RunProcess.UntilAsync(() => OnLoopThread.Run(_loop, () => echo.ReceivedBytes) == count);
        Assert.True(OnLoopThread.Run(_loop, () => echo.Deliveries) > 2);
        await sending;
        socket.Dispose();
        session.Dispose();
        await echo.Ended.WaitAsync(Limit);
    }

    [Fact]
    public async Task Half_a_record_counts_as_an_unfinished_message_and_is_given_up()
    {
        (Echo echo, Socket socket, TlsSession session) = await OpenOwnAsync();
        OnLoopThread.Run(_loop, () => _loop.Partials.StallMs = 300);
        byte[] record = Records(session, 1, changesKeys: false);
        socket.Send(record.AsSpan(0, 10));
        await RunProcess.UntilAsync(() => OnLoopThread.Run(_loop, () => _loop.Partials.TotalBytes) > 0);
        Assert.Contains("no byte of an unfinished message", await echo.Ended.WaitAsync(Limit), StringComparison.Ordinal);
        Assert.Equal(0, OnLoopThread.Run(_loop, () => _loop.Partials.TotalBytes));
        socket.Dispose();
        session.Dispose();
    }

    [Fact]
    public async Task What_comes_while_reading_is_paused_comes_after_it_is_resumed()
    {
        (Echo echo, Socket socket, TlsSession session) = await OpenOwnAsync();
        OnLoopThread.Run(_loop, echo.PauseReading);
        socket.Send(Records(session, 2000, changesKeys: false));
        OnLoopThread.Run(_loop, () => { });
        Assert.Equal(0, OnLoopThread.Run(_loop, () => echo.ReceivedBytes));
        OnLoopThread.Run(_loop, echo.ResumeReading);
        await RunProcess.UntilAsync(() => OnLoopThread.Run(_loop, () => echo.ReceivedBytes) == 2000);
        socket.Dispose();
        session.Dispose();
    }

    [Fact]
    public async Task A_client_of_ours_talks_to_a_server_of_SslStream()
    {
        Task<Socket> accepting = _listener.AcceptAsync();
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_listener.LocalEndPoint!);
        using SslStream server = new(new NetworkStream(await accepting, ownsSocket: true));
        using X509Certificate2 own = X509Certificate2.CreateFromPemFile(_certificate.CertificateFile, _certificate.KeyFile);
        Task authenticating = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = own });
        using TlsContext context = SessionPair.ClientOf(_ca.CaFile);
        TlsSession session = context.Connect("localhost");
        byte[] first = await ClientHandshake.RunAsync(_loop, socket, session, CancellationToken.None).WaitAsync(Limit);
        await authenticating;
        Echo echo = new(_loop, DescriptorCopy.Of((int)socket.Handle));
        OnLoopThread.Run(_loop, () =>
        {
            echo.Secure(session, first);
            echo.Open();
        });
        byte[] sent = RandomNumberGenerator.GetBytes(200_000), got = new byte[200_000];
        Task writing = server.WriteAsync(sent).AsTask();
        await server.ReadExactlyAsync(got).AsTask().WaitAsync(Limit);
        await writing;
        Assert.True(sent.AsSpan().SequenceEqual(got));
        OnLoopThread.Run(_loop, () => echo.FlushAndClose("a test"));
        Assert.Equal(0, await server.ReadAsync(got).AsTask().WaitAsync(Limit));
    }

    [Fact]
    public async Task A_client_of_ours_says_when_the_server_speaks_no_TLS()
    {
        Task<Socket> accepting = _listener.AcceptAsync();
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_listener.LocalEndPoint!);
        using Socket server = await accepting;
        server.Send("HTTP/1.1 400 Bad Request\r\n\r\n"u8);
        using TlsContext context = SessionPair.ClientOf(_ca.CaFile);
        using TlsSession session = context.Connect("localhost");
        TlsException failure = await Assert.ThrowsAsync<TlsException>(
            () => ClientHandshake.RunAsync(_loop, socket, session, CancellationToken.None).WaitAsync(Limit));
        Assert.Contains("does the server speak TLS", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Openssl_as_a_client_gets_its_bytes_back()
    {
        using System.Diagnostics.Process client = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "openssl", ["s_client", "-connect", $"127.0.0.1:{Port}", "-CAfile", _ca.CaFile, "-verify_return_error", "-quiet", "-alpn", "cocaine-fast/1"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Echo echo = await AcceptAsync(SessionPair.ServerOf(_certificate));
        await client.StandardInput.WriteAsync("hello from openssl\n");
        await client.StandardInput.FlushAsync();
        Assert.Equal("hello from openssl", await client.StandardOutput.ReadLineAsync().WaitAsync(Limit));
        OnLoopThread.Run(_loop, () => echo.FlushAndClose("a test"));
        await client.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, client.ExitCode);
    }

    private static unsafe byte[] Records(TlsSession session, int count, bool changesKeys)
    {
        ArrayBufferWriter<byte> all = new();
        byte* output = stackalloc byte[1024];
        for (int i = 0; i < count; i++)
        {
            if (changesKeys)
            {
                session.UpdateKeys();
            }

            session.Begin(null, 0, output, 1024);
            Assert.Equal(TlsResult.Ok, session.Write("x"u8));
            all.Write(new ReadOnlySpan<byte>(output, session.OutputBytes));
            session.End();
        }

        return all.WrittenSpan.ToArray();
    }

    private async Task<(Echo Echo, SslStream Client)> OpenAsync()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_listener.LocalEndPoint!);
        SslStream client = new(new NetworkStream(socket, ownsSocket: true));
        Task authenticating = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _ca.Ca.Certificate },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        });
        Echo echo = await AcceptAsync(SessionPair.ServerOf(_certificate));
        await authenticating.WaitAsync(Limit);
        return (echo, client);
    }

    private async Task<(Echo Echo, Socket Client, TlsSession Session)> OpenOwnAsync()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_listener.LocalEndPoint!);
        using TlsContext context = SessionPair.ClientOf(_ca.CaFile);
        TlsSession session = context.Connect("localhost");
        Task handshake = ClientHandshake.RunAsync(_loop, socket, session, CancellationToken.None);
        Echo echo = await AcceptAsync(SessionPair.ServerOf(_certificate));
        await handshake.WaitAsync(Limit);
        byte[] ticket = new byte[4096];
        await socket.ReceiveAsync(ticket).WaitAsync(Limit); // the server's ticket
        return (echo, socket, session);
    }

    /// <summary>The handshake of the server's side, and the connection after it.</summary>
    private async Task<Echo> AcceptAsync(TlsContext context)
    {
        using Socket socket = await _listener.AcceptAsync().WaitAsync(Limit);
        using TlsContext owned = context;
        TlsSession session = owned.TryAccept()!;
        ArrayBufferWriter<byte> answer = new();
        byte[] buffer = new byte[16 << 10];
        while (true)
        {
            int count = await socket.ReceiveAsync(buffer).WaitAsync(Limit);
            TlsResult result = session.Handshake(buffer.AsSpan(0, count), answer, out int taken);
            socket.Send(answer.WrittenSpan);
            answer.ResetWrittenCount();
            if (result == TlsResult.NeedMore)
            {
                continue;
            }

            Assert.Equal(TlsResult.Ok, result);
            Echo echo = new(_loop, DescriptorCopy.Of((int)socket.Handle));
            OnLoopThread.Run(_loop, () =>
            {
                echo.Secure(session, buffer.AsSpan(taken, count - taken));
                echo.Open();
            });
            return echo;
        }
    }

    /// <summary>Sends back what it gets.</summary>
    private sealed class Echo(EventLoop loop, int descriptor) : SocketConnection(loop, descriptor)
    {
        private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Ended => _ended.Task;

        public bool HasRegularEnd { get; private set; }

        public long ReceivedBytes { get; private set; }

        public int Deliveries { get; private set; }

        internal override bool IsOfStranger => true;

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            Deliveries++;
            ReceivedBytes += buffer.Length;
            foreach (ReadOnlyMemory<byte> part in buffer)
            {
                Output.WriteLong(default, new Core.Protocol.Payload(part.Span), default);
            }

            ScheduleSend();
            return buffer.Length;
        }

        protected override bool OnPeerEnded()
        {
            HasRegularEnd = true;
            FlushAndClose("the peer closed the connection");
            return true;
        }

        protected override void OnClosed(string reason) => _ended.TrySetResult(reason);
    }
}
