using System.Security.Cryptography;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Bench.Tls;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Guard;

/// <summary>A node with a thread slave, a door with TLS, and a door that takes sealed jobs; with the keys of its clients.</summary>
internal sealed class SecuredNode : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cocaine-guard-").FullName;
    private readonly BenchCertificates _certificates;

    public SecuredNode()
    {
        _certificates = new BenchCertificates(_folder);
        _certificates.MakeEllipticServer("node");
        Directory.CreateDirectory(Path.Combine(KeysFolder, "own"));
        MakeKey("keys/own/node.pem", "node.pub");
        MakeKey("caller.pem", "keys/caller.pub");
        System = new BenchSystem("cocaine-fast secured", "native", () => TlsServers.NodeAsync(_certificates, "node", KeysFolder));
    }

    public BenchSystem System { get; }

    /// <summary>The doors: name in tables, endpoint, settings of clients, and keys of sealed requests.</summary>
    public IEnumerable<GuardedDoor> Doors =>
    [
        new("thread, TLS", System.Endpoints[1], System.Pids[0])
        {
            Client = new ClientOptions { Tls = new ClientTls { CaFile = _certificates.CaFile } },
        },
        new("thread, sealed", System.Endpoints[3], System.Pids[0])
        {
            Seal = new ClientSeal { App = "echo", KeyFile = FileOf("caller.pem"), NodeKeyFile = FileOf("node.pub") },
        },
    ];

    private string KeysFolder => FileOf("keys");

    public void Dispose()
    {
        System.Dispose();
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string FileOf(string name) => Path.Combine(_folder, name);

    private void MakeKey(string file, string publicFile)
    {
        using RSA key = RSA.Create(3072);
        File.WriteAllText(FileOf(publicFile), key.ExportSubjectPublicKeyInfoPem());
        File.WriteAllText(FileOf(file), key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(FileOf(file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

/// <summary>A door whose requests are counted.</summary>
/// <param name="Slave">The name in the table and in guard.json.</param>
/// <param name="Endpoint">Where it is.</param>
/// <param name="Pid">The node's process.</param>
internal sealed record GuardedDoor(string Slave, string Endpoint, int Pid)
{
    /// <summary>The pool tries how many of its slaves end most jobs.</summary>
    public bool TriesSlaves { get; init; }

    /// <summary>The settings of clients.</summary>
    public ClientOptions Client { get; init; } = new();

    /// <summary>The keys of the requests; null = they are not sealed.</summary>
    public ClientSeal? Seal { get; init; }
}
