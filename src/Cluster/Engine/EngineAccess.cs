using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;
using NATS.Client.Core;

namespace Cocaine.Fast.Cluster.Engine;

/// <summary>The way to the engine: its addresses, and the proof of this node. The files are read anew for each session.</summary>
/// <param name="Urls">The addresses, with commas between them.</param>
internal sealed record EngineAccess(string Urls)
{
    /// <summary>The file with <c>USER:PASSWORD</c>, or with credentials as NATS makes them; null = none.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>The authorities of the engine's certificate; null = those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>The node's certificate, and its key; null = none.</summary>
    public (string Certificate, string Key)? Certificate { get; init; }

    /// <summary>The access that a config gives to these addresses.</summary>
    /// <param name="urls">The addresses.</param>
    /// <param name="config">The config.</param>
    public static EngineAccess Of(IEnumerable<string> urls, ClusterConfig config) => new(string.Join(',', urls))
    {
        CredentialsFile = config.CredentialsFile,
        CaFile = config.EngineCaFile,
        Certificate = config.EngineCertificateFile is { } certificate ? (certificate, config.EngineKeyFile!) : null,
    };

    /// <summary>The address of this host from which it reaches the engine; null when there is no way to it now.</summary>
    public string? LocalAddress()
    {
        try
        {
            Uri first = new(Urls.Split(',')[0]);
            using Socket probe = new(SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(first.Host.Trim('[', ']'), first.IsDefaultPort ? EngineAddress.UsualPort : first.Port); // sends nothing
            IPAddress address = ((IPEndPoint)probe.LocalEndPoint!).Address;
            return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        }
        catch (Exception failure) when (failure is SocketException or UriFormatException)
        {
            return null;
        }
    }

    /// <summary>The settings of a connection.</summary>
    /// <exception cref="IOException">A file of the proof cannot be used; the text says why.</exception>
    public NatsOpts Options()
    {
        if (Certificate is { Key: { } key })
        {
            RefuseOpen(key, "key");
        }

        return NatsOpts.Default with
        {
            Url = Urls,
            AuthOpts = Proof(),
            TlsOpts = CaFile is null && Certificate is null ? NatsTlsOpts.Default : new NatsTlsOpts
            {
                Mode = TlsMode.Require,
                CaFile = CaFile,
                CertFile = Certificate?.Certificate,
                KeyFile = Certificate?.Key,
            },
        };
    }

    private NatsAuthOpts Proof()
    {
        if (CredentialsFile is not { } file)
        {
            return NatsAuthOpts.Default;
        }

        RefuseOpen(file, "password");
        string text = File.ReadAllText(file).Trim();
        if (text.Contains("-----BEGIN", StringComparison.Ordinal))
        {
            return new NatsAuthOpts { CredsFile = file };
        }

        string[] parts = text.Split(':', 2);
        return parts.Length == 2 ? new NatsAuthOpts { Username = parts[0], Password = parts[1] }
            : throw new IOException($"{file}: expected USER:PASSWORD, or credentials as NATS makes them");
    }

    private static void RefuseOpen(string file, string secret)
    {
        if (FileStatus.TryRead(file, out FileStatus status) && SecretFile.Problem(in status) is { } problem)
        {
            throw new IOException($"{file} has the {secret} for the cluster's engine, and {problem}");
        }
    }
}
