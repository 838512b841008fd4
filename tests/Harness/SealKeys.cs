using System.Security.Cryptography;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Harness;

/// <summary>Keys of sealed jobs in a folder of their own: a node's, and those of its callers. It goes with its end.</summary>
internal sealed class SealKeys : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("seal-").FullName;

    public SealKeys(params string[] callers)
    {
        Directory.CreateDirectory(Path.Combine(Folder, "own"));
        using (RSA node = RSA.Create(2048))
        {
            Write(Path.Combine(Folder, "own/node.pem"), node.ExportPkcs8PrivateKeyPem());
            Write(NodeKey, node.ExportSubjectPublicKeyInfoPem());
        }

        foreach (string caller in callers)
        {
            using RSA key = RSA.Create(2048);
            Write(KeyOf(caller), key.ExportPkcs8PrivateKeyPem());
            Write(PublicOf(caller), key.ExportSubjectPublicKeyInfoPem());
        }
    }

    /// <summary>The node's folder.</summary>
    public string Folder => Path.Combine(_root, "keys");

    /// <summary>The node's public key, which callers have.</summary>
    public string NodeKey => Path.Combine(_root, "node.pub");

    /// <summary>A caller's private key.</summary>
    public string KeyOf(string caller) => Path.Combine(_root, caller + ".key");

    /// <summary>A caller's public key, in the node's folder.</summary>
    public string PublicOf(string caller) => Path.Combine(Folder, caller + ".pub");

    /// <summary>The settings of a client.</summary>
    public ClientOptions Options(string caller, string app) =>
        new() { Seal = new ClientSeal { App = app, KeyFile = KeyOf(caller), NodeKeyFile = NodeKey } };

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static void Write(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
