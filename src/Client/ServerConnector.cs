using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Client;

/// <summary>Connects to a server, and makes the handshake of TLS when the endpoint is <c>tls://HOST:PORT</c>. Never on a loop.</summary>
internal static class ServerConnector
{
    /// <summary>The beginning of endpoints with TLS.</summary>
    public const string Scheme = "tls://";

    private const string PlainScheme = "tcp://";

    /// <summary>The least time for a handshake when the connection has taken nearly all of the time.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(1);

    /// <summary>True for an endpoint with TLS.</summary>
    public static bool IsTls(string endpoint) => endpoint.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Connects.</summary>
    /// <exception cref="ConnectionLostException">Nobody answers there, or the server or this client fails a check of TLS.</exception>
    /// <exception cref="FormatException">The endpoint cannot be read, or a setting or a file of TLS is wrong.</exception>
    public static async Task<ServerSocket> ConnectAsync(string endpoint, ClientOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        if (options is { Token: not null, Seal: not null })
        {
            throw new FormatException("a sealed call proves by its keys who calls, and needs no token: give one of the two");
        }

        if (!IsTls(endpoint))
        {
            if (options.Tls is not null)
            {
                throw new FormatException($"'{endpoint}' has no TLS, and the options ask for it: the endpoint is {Scheme}HOST:PORT");
            }

            Endpoint place = Endpoint.Parse(endpoint);
            if (options.Token is not null && place.Path is null)
            {
                throw new FormatException($"'{endpoint}': a token goes only over TLS or a Unix socket: others could read it on its way");
            }

            using Socket plain = await Connector.ConnectAsync(place, endpoint, options.ConnectTimeout, cancellation).ConfigureAwait(false);
            return new ServerSocket(DescriptorCopy.Of((int)plain.Handle), null, []);
        }

        ClientTls tls = options.Tls ?? new ClientTls();
        Endpoint address = Parse(endpoint);
        string name = NameOf(endpoint, address, tls);
        TlsSession? session = NewSession(tls, name);
        try
        {
            long began = Stopwatch.GetTimestamp();
            using Socket socket = await Connector.ConnectAsync(address, endpoint, options.ConnectTimeout, cancellation)
                .ConfigureAwait(false);
            TimeSpan left = options.ConnectTimeout == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan
                : options.ConnectTimeout - Stopwatch.GetElapsedTime(began);
            byte[] first = await ShakeHandsAsync(endpoint, name, socket, session, left, cancellation).ConfigureAwait(false);
            ServerSocket server = new(DescriptorCopy.Of((int)socket.Handle), session, first);
            session = null;
            return server;
        }
        finally
        {
            session?.Dispose();
        }
    }

    private static async Task<byte[]> ShakeHandsAsync(
        string endpoint, string name, Socket socket, TlsSession session, TimeSpan left, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (left != Timeout.InfiniteTimeSpan)
        {
            limit.CancelAfter(left > LeastTime ? left : LeastTime);
        }

        try
        {
            return await ClientHandshake.RunAsync(ClientLoop.Shared, socket, session, limit.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is TlsException or SocketException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            string why = failure is OperationCanceledException ? "the TLS handshake took too long; is TLS spoken there?"
                : TlsFaults.OfHandshake(failure.Message, name);
            throw new ConnectionLostException($"cannot connect to {endpoint}: {why}", failure);
        }
    }

    private static Endpoint Parse(string endpoint)
    {
        string plain = PlainScheme + endpoint[Scheme.Length..];
        try
        {
            return Endpoint.Parse(plain);
        }
        catch (FormatException mistake)
        {
            string text = mistake.Message.Replace(plain, endpoint, StringComparison.Ordinal);
            throw new FormatException(text.Replace($"{PlainScheme}HOST", $"{Scheme}HOST", StringComparison.Ordinal), mistake);
        }
    }

    /// <summary>The name that the server's certificate must have.</summary>
    private static string NameOf(string endpoint, Endpoint parsed, ClientTls tls) => tls.ServerName is { Length: > 0 } name ? name
        : parsed.IsName || IPAddress.TryParse(parsed.Host, out _) ? parsed.Host
        : throw new FormatException(
            $"'{endpoint}': '{parsed.Host}' stands for addresses of this host, and no certificate has it: give the server's name too");

    private static TlsSession NewSession(ClientTls tls, string name)
    {
        if (tls.CertificateFile is null != tls.KeyFile is null)
        {
            throw new FormatException("a client's certificate and its key belong together: one of the two files was given alone");
        }

        try
        {
            using TlsContext context = TlsContext.ForClient(new TlsClientSettings
            {
                CaFile = tls.CaFile,
                Identity = tls.CertificateFile is null ? null : new TlsIdentity(tls.CertificateFile, tls.KeyFile!),
            });
            return context.Connect(name);
        }
        catch (TlsException mistake)
        {
            throw new FormatException(mistake.Message, mistake);
        }
    }
}
