using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Cocaine.Fast.Harness;

/// <summary>A server of TLS in front of a real node. It is made of .NET's TLS, and so shares nothing with the client.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly SslServerAuthenticationOptions _options;
    private readonly Func<SslStream, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <param name="certificate">The server's.</param>
    /// <param name="serve">Serves a connection, and returns when it is to be cut.</param>
    /// <param name="clientCa">The authority of clients; null asks for no certificate.</param>
    /// <param name="port">Of this host; 0 for a free one.</param>
    public TlsFront(TestCertificate certificate, Func<SslStream, CancellationToken, Task> serve, X509Certificate2? clientCa = null, int port = 0)
    {
        _serve = serve;
        _options = new SslServerAuthenticationOptions
        {
            ServerCertificate = certificate.Certificate,
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateRequired = clientCa is not null,
            CertificateChainPolicy = clientCa is null ? null : new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { clientCa },
                RevocationMode = X509RevocationMode.NoCheck,
            },
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public string Endpoint => $"tls://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    /// <summary>Passes all bytes on to a node, and back.</summary>
    public static Func<SslStream, CancellationToken, Task> To(string endpoint) => async (peer, stop) =>
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(endpoint["tcp://".Length..]), stop);
        await using NetworkStream node = new(socket);
        Task there = PassAsync(peer, node, stop), back = PassAsync(node, peer, stop);
        await Task.WhenAny(there, back);
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private static async Task PassAsync(Stream from, Stream to, CancellationToken stop)
    {
        await from.CopyToAsync(to, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                connections.Add(ServeAsync(socket));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            SslStream stream = new(new NetworkStream(socket));
            try
            {
                await stream.AuthenticateAsServerAsync(_options, _stop.Token);
                await _serve(stream, _stop.Token);
            }
            catch (Exception failure) when (failure is IOException or AuthenticationException or OperationCanceledException)
            {
                // the test sees the client's side
            }
        }
    }
}
