using System.Buffers;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>A handshake in memory: the work of the sessions alone, of each side apart, without sockets, loops and other threads.</summary>
internal sealed class SessionCost : IDisposable
{
    /// <summary>Handshakes of which the median counts: work of other programs shows in some of them only.</summary>
    private const int Handshakes = 300;

    /// <summary>Steps of a handshake of TLS 1.3 with a certificate of the client, and one to spare.</summary>
    private const int MaxRounds = 4;

    private readonly TlsContext _server;
    private readonly TlsContext _client;

    public SessionCost(BenchCertificates certificates, string server, string? client)
    {
        string? clientCa = client is null ? null : certificates.CaFile;
        _server = TlsContext.ForServer(new TlsServerSettings(Identity(server)) { ClientCaFile = clientCa });
        TlsIdentity? own = client is null ? null : Identity(client);
        _client = TlsContext.ForClient(new TlsClientSettings { CaFile = certificates.CaFile, Identity = own });

        TlsIdentity Identity(string name) => new(certificates.CertificateFile(name), certificates.KeyFile(name));
    }

    /// <summary>Median ms of CPU of the server's and of the client's side, from the making of the session to its end.</summary>
    public (double ServerMs, double ClientMs) Measure()
    {
        double[] server = new double[Handshakes], client = new double[Handshakes];
        for (int i = 0; i < Handshakes; i++)
        {
            (server[i], client[i]) = One();
        }

        Array.Sort(server);
        Array.Sort(client);
        return (server[Handshakes / 2], client[Handshakes / 2]);
    }

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
    }

    private (double ServerMs, double ClientMs) One()
    {
        CpuTime serverTime = new(), clientTime = new();
        serverTime.Start();
        using TlsSession server = _server.TryAccept()!;
        serverTime.Stop();
        clientTime.Start();
        using TlsSession client = _client.Connect("127.0.0.1");
        clientTime.Stop();
        ArrayBufferWriter<byte> toServer = new(), toClient = new();
        TlsResult ofServer = TlsResult.NeedMore, ofClient = TlsResult.NeedMore;
        for (int round = 0; round < MaxRounds && (ofServer, ofClient) != (TlsResult.Ok, TlsResult.Ok); round++)
        {
            ofClient = Step(clientTime, client, ofClient, toClient, toServer);
            ofServer = Step(serverTime, server, ofServer, toServer, toClient);
        }

        if ((ofServer, ofClient) != (TlsResult.Ok, TlsResult.Ok))
        {
            throw new InvalidOperationException($"a handshake failed: {server.Problem} {client.Problem}");
        }

        serverTime.Start();
        server.Dispose();
        serverTime.Stop();
        return (serverTime.Ms, clientTime.Ms);
    }

    private static TlsResult Step(
        CpuTime time, TlsSession session, TlsResult before, ArrayBufferWriter<byte> input, ArrayBufferWriter<byte> output)
    {
        if (before != TlsResult.NeedMore)
        {
            return before;
        }

        byte[] came = input.WrittenSpan.ToArray();
        input.ResetWrittenCount();
        time.Start();
        TlsResult result = session.Handshake(came, output, out _);
        time.Stop();
        return result;
    }
}
