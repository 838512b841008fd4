using System.Buffers;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>A client and a server that talk through memory.</summary>
internal sealed unsafe class SessionPair : IDisposable
{
    private readonly byte[] _output = new byte[TlsScratch.OutputBytes];

    public SessionPair(TlsContext server, TlsContext client, string serverName = "localhost")
    {
        Server = server.TryAccept()!;
        Client = client.Connect(serverName);
    }

    public TlsSession Server { get; }

    public TlsSession Client { get; }

    /// <summary>Bytes for the client that came behind the server's handshake: tickets.</summary>
    public byte[] ForClient { get; private set; } = [];

    public static TlsContext ServerOf(TestCertificate certificate, string? ca = null, string? crl = null) =>
        TlsContext.ForServer(new TlsServerSettings(new TlsIdentity(certificate.CertificateFile, certificate.KeyFile)) { ClientCaFile = ca, CrlFile = crl });

    public static TlsContext ClientOf(string ca, TestCertificate? certificate = null) => TlsContext.ForClient(new TlsClientSettings
    {
        CaFile = ca,
        Identity = certificate is null ? null : new TlsIdentity(certificate.CertificateFile, certificate.KeyFile),
    });

    /// <summary>The handshake of both; the results of the last steps.</summary>
    public (TlsResult Server, TlsResult Client) Handshake()
    {
        TlsResult server = TlsResult.NeedMore, client = TlsResult.NeedMore;
        ArrayBufferWriter<byte> toServer = new(), toClient = new();
        for (int round = 0; round < 10; round++)
        {
            if (client == TlsResult.NeedMore)
            {
                byte[] came = toClient.WrittenSpan.ToArray();
                toClient.ResetWrittenCount();
                client = Client.Handshake(came, toServer, out int taken);
                ForClient = came[taken..];
            }

            if (server == TlsResult.NeedMore)
            {
                byte[] came = toServer.WrittenSpan.ToArray();
                toServer.ResetWrittenCount();
                server = Server.Handshake(came, toClient, out int taken);
                Assert.True(server != TlsResult.Ok || taken == came.Length);
            }

            if (server != TlsResult.NeedMore && client != TlsResult.NeedMore)
            {
                break;
            }
        }

        ForClient = [.. ForClient, .. toClient.WrittenSpan];
        return (server, client);
    }

    /// <summary>One record.</summary>
    public byte[] Write(TlsSession from, ReadOnlySpan<byte> plain)
    {
        fixed (byte* output = _output)
        {
            from.Begin(null, 0, output, _output.Length);
            TlsResult result = from.Write(plain);
            byte[] record = _output[..from.OutputBytes];
            from.End();
            return result == TlsResult.Ok ? record : throw new IOException(from.Problem);
        }
    }

    /// <summary>Reads all plain text of some bytes; the result of the last step.</summary>
    public TlsResult Read(TlsSession session, byte[] bytes, ArrayBufferWriter<byte> plain, out byte[] answer)
    {
        fixed (byte* input = bytes, output = _output)
        {
            session.Begin(input, bytes.Length, output, _output.Length);
            TlsResult result = TlsResult.NeedMore;
            while (session.InputBytes > 0 || session.HasPlainText)
            {
                int before = session.InputBytes;
                result = session.Read(plain.GetSpan(16 << 10), out int count);
                plain.Advance(count);
                if (result is TlsResult.Failed or TlsResult.Closed || (result == TlsResult.NeedMore && before == session.InputBytes))
                {
                    break;
                }
            }

            answer = _output[..session.OutputBytes];
            session.End();
            return result;
        }
    }

    public byte[] CloseNotice(TlsSession session)
    {
        fixed (byte* output = _output)
        {
            session.Begin(null, 0, output, _output.Length);
            session.Shutdown();
            byte[] notice = _output[..session.OutputBytes];
            session.End();
            return notice;
        }
    }

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
