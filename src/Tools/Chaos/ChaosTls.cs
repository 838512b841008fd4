using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>
/// The keys of a run with TLS in its folder: an authority, certificates of the node and of the load's client, and the list of revoked ones,
/// all made by <c>cocaine-fast keys</c>.
/// </summary>
internal sealed class ChaosTls(IReadOnlyList<string> program, string folder)
{
    /// <summary>The name that the node's certificate has, whatever address the task listens on.</summary>
    private const string ServerName = "localhost";

    private const string PlainScheme = "tcp://", Scheme = "tls://";

    /// <summary>The longest run of a command that makes a key, on a busy machine.</summary>
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder = Path.Combine(folder, "tls");
    private volatile string _client = "client-1"; // the client's present files
    private int _clients = 1;

    /// <summary>The settings of a client, with its present certificate.</summary>
    public ClientOptions Client => new()
    {
        Tls = OfClient(_client),
    };

    /// <summary>The members of <c>security.tls</c> in the node's config.</summary>
    public Dictionary<string, string> Config => new()
    {
        ["certificate"] = File("node.pem"),
        ["key"] = File("node.key"),
        ["client-ca"] = File("ca.pem"),
        ["crl"] = File("clients.crl"),
    };

    /// <summary>The endpoint that the node tells, for clients.</summary>
    public static string Secured(string endpoint) =>
        endpoint.StartsWith(PlainScheme, StringComparison.Ordinal) ? Scheme + endpoint[PlainScheme.Length..] : endpoint;

    /// <summary>The same endpoint, for a stranger that does not speak TLS.</summary>
    public static string Bare(string endpoint) =>
        endpoint.StartsWith(Scheme, StringComparison.Ordinal) ? PlainScheme + endpoint[Scheme.Length..] : endpoint;

    /// <summary>Makes all files.</summary>
    /// <exception cref="NodeException">A command fails.</exception>
    public async Task MakeAsync()
    {
        await RunAsync("ca", _folder).ConfigureAwait(false);
        await MakeNodeAsync().ConfigureAwait(false);
        await RunAsync("certificate", _folder, _client, "--client").ConfigureAwait(false);
        await RunAsync("revoke", _folder).ConfigureAwait(false);
    }

    /// <summary>Replaces the node's certificate, signs the list of revoked ones anew, and gives the load another certificate.</summary>
    /// <exception cref="NodeException">A command fails.</exception>
    public async Task RenewAsync()
    {
        await MakeNodeAsync().ConfigureAwait(false);
        await RunAsync("revoke", _folder).ConfigureAwait(false);
        string next = string.Create(CultureInfo.InvariantCulture, $"client-{++_clients}"); // in its own files: connects go on meanwhile
        await RunAsync("certificate", _folder, next, "--client").ConfigureAwait(false);
        _client = next;
    }

    /// <summary>Whether the node shows its present certificate to a new client; false too when nobody can connect.</summary>
    public async Task<bool> IsRenewedAsync(string endpoint)
    {
        try
        {
            ServerSocket server = await ServerConnector.ConnectAsync(endpoint, Client, CancellationToken.None).ConfigureAwait(false);
            using TlsSession session = server.Session!;
            _ = LibC.close(server.Descriptor);
            using X509Certificate2 present = X509CertificateLoader.LoadCertificateFromFile(File("node.pem"));
            return session.PeerChain()[0].AsSpan().SequenceEqual(present.RawData);
        }
        catch (ConnectionLostException)
        {
            return false;
        }
    }

    private ClientTls OfClient(string name) => new()
    {
        CaFile = File("ca.pem"),
        CertificateFile = File(name + ".pem"),
        KeyFile = File(name + ".key"),
        ServerName = ServerName,
    };

    private string File(string name) => Path.Combine(_folder, name);

    private Task MakeNodeAsync() => RunAsync("certificate", _folder, "node", "--host", ServerName, "--force");

    private async Task RunAsync(params string[] words)
    {
        ProcessStartInfo start = new(program[0], [.. program.Skip(1), "keys", .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new NodeException($"{program[0]} cannot be started");
        using CancellationTokenSource late = new(CommandLimit);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        string errors = await process.StandardError.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
        await output.ConfigureAwait(false);
        try
        {
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new NodeException($"'keys {string.Join(' ', words)}' does not end");
        }

        if (process.ExitCode != 0)
        {
            throw new NodeException($"'keys {string.Join(' ', words)}' failed: {errors.Trim()}");
        }
    }
}
