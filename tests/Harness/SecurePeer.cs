using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>A client of a door with TLS, by SslStream. Every wait has an end.</summary>
internal sealed class SecurePeer : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;

    private SecurePeer(Socket socket, SslStream stream) => (_socket, Stream) = (socket, stream);

    public SslStream Stream { get; }

    /// <summary>Connects, with a certificate or without one.</summary>
    public static Task<SecurePeer> ConnectAsync(
        RunningApp app, TestCertificates ca, TestCertificate? own = null, SslProtocols protocols = SslProtocols.Tls13) =>
        ConnectAsync(app.Endpoints[0].Endpoint, ca, own, protocols);

    /// <summary>Connects, with a certificate or without one.</summary>
    public static async Task<SecurePeer> ConnectAsync(
        string endpoint, TestCertificates ca, TestCertificate? own = null, SslProtocols protocols = SslProtocols.Tls13)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(endpoint["tcp://".Length..]));
        SslStream stream = new(new NetworkStream(socket, ownsSocket: true));
        try
        {
            SslClientAuthenticationOptions options = new()
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocols,
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { ca.Ca.Certificate },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            };
            if (own is not null)
            {
                options.ClientCertificateContext = SslStreamCertificateContext.Create(own.Certificate, null, offline: true);
            }

            await stream.AuthenticateAsClientAsync(options).WaitAsync(Limit);
            return new SecurePeer(socket, stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends; a megabyte must go on within the limit.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        for (int at = 0; at < bytes.Length; at += 1 << 20)
        {
            await Stream.WriteAsync(bytes.AsMemory(at, Math.Min(1 << 20, bytes.Length - at))).AsTask().WaitAsync(Limit);
        }
    }

    /// <summary>Ends with a close notice; answers can still be read.</summary>
    public Task EndAsync() => Stream.ShutdownAsync().WaitAsync(Limit);

    /// <summary>Ends the TCP connection without a close notice, as an attacker on the wire could.</summary>
    public void Cut() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The next line, without its end.</summary>
    public async Task<string> ReadLineAsync()
    {
        List<byte> line = [];
        byte[] one = new byte[1];
        while (await Stream.ReadAsync(one).AsTask().WaitAsync(Limit) == 1 && one[0] != (byte)'\n')
        {
            line.Add(one[0]);
        }

        return Encoding.UTF8.GetString([.. line]);
    }

    /// <summary>The next bytes; empty at the end.</summary>
    public async Task<byte[]> ReadAsync(int most = 65_536)
    {
        byte[] buffer = new byte[most];
        int count = await Stream.ReadAsync(buffer).AsTask().WaitAsync(Limit);
        return buffer[..count];
    }

    /// <summary>Everything up to the end; some bytes must come within the limit.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using MemoryStream all = new();
        while (await ReadAsync() is { Length: > 0 } next)
        {
            all.Write(next);
        }

        return all.ToArray();
    }

    public void Dispose() => Stream.Dispose();
}
