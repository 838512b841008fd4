using System.Globalization;
using System.Security.Cryptography;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Tests.Daemon;
using Cocaine.Fast.Transport.Tls;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests.Certificates;

/// <summary>
/// Everything that a node knows its callers by changes every 50 ms, while they call: its certificate and key, the authorities of clients, the
/// list of revoked ones, its RSA key, and the rules. COCAINE_ROTATION_S=60 runs it for a minute.
/// </summary>
[Collection(nameof(Alone))]
public sealed class RotationTests : IDisposable
{
    private const int PeriodMs = 50, Openers = 2;

    /// <summary>Some more periods than a connection of an opener lasts; a node has at most 16 keys of its own.</summary>
    private const int Authorities = 12;

    /// <summary>Generations after which callers use another key of the node.</summary>
    private const int KeyLag = 3;

    /// <summary>So many calls go over a connection: each of them is new for the certificates of its time.</summary>
    private const int CallsOfConnection = 20;

    private readonly ITestOutputHelper _output;
    private readonly TestFolder _folder = new();
    private readonly SealKeys _keys = new([.. Enumerable.Range(0, Openers).Select(n => $"opener{n}")]);
    private readonly Generation[] _generations;
    private readonly TestCertificates _servers;
    private readonly TestCertificate[] _serverTurns;
    private volatile int _now;        // the generation whose files new clients use
    private int _calls, _rotations;

    public RotationTests(ITestOutputHelper output)
    {
        _output = output;
        _servers = new TestCertificates(_folder, "servers");
        _serverTurns = [_servers.IssueServer("ec"), _servers.IssueServer("rsa", rsaBits: 2048)];
        _generations = [.. Enumerable.Range(0, Authorities).Select(n => new Generation(_folder, n))];
    }

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task No_call_fails_while_everything_rotates_and_no_context_is_left()
    {
        TimeSpan length = TimeSpan.FromSeconds(
            double.Parse(Environment.GetEnvironmentVariable("COCAINE_ROTATION_S") ?? "5", CultureInfo.InvariantCulture));
        int before = ContextMaker.Live;
        WriteFiles(0);
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, Rules(0));
        AppManifest shop = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await daemon.Daemon.Node.AddAsync(shop with
        {
            Tasks = [shop.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = "mutual", ["sealed"] = "accepted" } }],
        });
        await app.Ready.WaitAsync(TimeSpan.FromSeconds(20));
        int ofNode = ContextMaker.Live - before;
        string endpoint = app.Endpoints[0].Endpoint.Replace("tcp://", "tls://", StringComparison.Ordinal);

        using CancellationTokenSource end = new(length);
        Task rotating = Task.Run(() => RotateAsync(daemon, end.Token));
        Task[] callers =
        [
            .. Enumerable.Range(0, 4).Select(_ => Task.Run(() => CallAsync(endpoint, null, 0, end.Token))),
            .. Enumerable.Range(0, Openers).Select(n => Task.Run(() => CallAsync(endpoint, $"opener{n}", pauseMs: 10, end.Token))),
        ];
        await Task.WhenAll([rotating, .. callers]);
        TlsDoors doors = daemon.Daemon.Node.Doors.Certificates.Tls.Doors!;

        _output.WriteLine($"{_rotations} rotations, {_calls} calls, {doors.Handshakes} handshakes");
        Assert.True(_rotations > Authorities && _calls > 100, $"{_rotations} rotations, {_calls} calls"); // each authority came and went
        Assert.Equal(0, doors.Failed);
        Assert.DoesNotContain("denied", daemon.Log, StringComparison.Ordinal);
        await RunProcess.UntilAsync(() => doors.Sessions == 0);
        await RunProcess.UntilAsync(() => ContextMaker.Live - before == ofNode, () => $"{ContextMaker.Live - before} contexts, the node has {ofNode}");
    }

    /// <summary>One step each period: new files in the places of the old ones, then the config is read again, with other rules.</summary>
    private async Task RotateAsync(TestDaemon daemon, CancellationToken end)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(PeriodMs));
        while (!end.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            int next = _now + 1;
            if (Gone(next).IsInUse || _generations[(next + 1 + KeyLag) % Authorities].IsInUse) // the second for its key of the node
            {
                continue; // its clients connect at this moment: its authority cannot go yet
            }

            WriteFiles(next);
            await daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, Rules(next)), CancellationToken.None);
            _now = next;
            _rotations++;
        }
    }

    /// <summary>The generation that is not good any more when another one begins.</summary>
    private Generation Gone(int begun) => _generations[(begun + 1) % Authorities];

    /// <summary>The files when a generation begins: those of the two before stay good.</summary>
    private void WriteFiles(int generation)
    {
        TestCertificate server = _serverTurns[generation % 2];
        Replace("node.pem", File.ReadAllText(server.CertificateFile));
        Replace("node.key", File.ReadAllText(server.KeyFile));
        Generation gone = Gone(generation), begun = _generations[generation % Authorities];
        Generation[] good = [.. _generations.Where(one => one != gone)];
        Replace("clients.pem", string.Concat(good.Select(one => File.ReadAllText(one.Ca.CaFile) + "\n")));
        Replace("clients.crl", string.Concat(good.Select(one => File.ReadAllText(one.Lists[generation / Authorities % 2]) + "\n")));
        Array.ForEach(good, one => Replace(OwnKey(one), one.RsaKey));
        Replace(OwnKey(begun), begun.RsaKey); // last: the newest is the node's
        File.Delete(OwnKey(gone));
    }

    private async Task CallAsync(string endpoint, string? opener, int pauseMs, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            (Generation mine, string nodeKey) = Enter();
            try
            {
                ClientOptions options = opener is null ? new ClientOptions() : _keys.Options(opener, "dotnet-echo");
                options = options with
                {
                    Tls = new ClientTls
                    {
                        CaFile = _servers.CaFile,
                        CertificateFile = mine.Client.CertificateFile,
                        KeyFile = mine.Client.KeyFile,
                        ServerName = "localhost",
                    },
                    Seal = options.Seal is null ? null : options.Seal with { NodeKeyFile = nodeKey },
                };
                await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, options, CancellationToken.None);
                for (int i = 0; i < CallsOfConnection; i++)
                {
                    string text = $"{opener} {i}";
                    Assert.Equal(text, Utf8.TextOf(await client.CallAsync("echo", Utf8.Of(text))));
                    Interlocked.Increment(ref _calls);
                    await Task.Delay(pauseMs, CancellationToken.None); // an identity opens 5 sessions a second
                }
            }
            finally
            {
                mine.Leave();
            }
        }
    }

    /// <summary>
    /// The present generation, which stays good until the caller leaves it, and a key of the node that is some generations older: the node
    /// looks at its keys soon after it was told, so callers change over when it has.
    /// </summary>
    private (Generation Mine, string NodeKey) Enter()
    {
        while (true)
        {
            int now = _now;
            Generation mine = _generations[now % Authorities];
            mine.Enter();
            if (_now - now < Authorities - 2 - KeyLag)
            {
                return (mine, _generations[(now + Authorities - KeyLag) % Authorities].RsaPublicFile);
            }

            mine.Leave(); // it is about to go
        }
    }

    private string OwnKey(Generation one) => Path.Combine(_keys.Folder, "own", $"own{one.Number}.pem");

    private void Replace(string name, string text)
    {
        string path = _folder[name], next = path + ".next";
        File.WriteAllText(next, text);
        File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(next, path, overwrite: true);
    }

    private string Rules(int generation) => $$"""
        "security": {
          "tls": { "certificate": "{{_folder["node.pem"]}}", "key": "{{_folder["node.key"]}}", "client-ca": "{{_folder["clients.pem"]}}", "crl": "{{_folder["clients.crl"]}}" },
          "keys": "{{_keys.Folder}}",
          "identities": {
            "billing": { "certificate": "DNS:billing.shop" }, "other{{generation}}": { "certificate": "DNS:other{{generation}}.shop" },
            {{string.Join(", ", Enumerable.Range(0, Openers).Select(n => $"\"opener{n}\": {{ \"rsa\": \"opener{n}\" }}"))}} },
          "rights": [
            { "who": ["billing", {{string.Join(", ", Enumerable.Range(0, Openers).Select(n => $"\"opener{n}\""))}}],
              "call": { "{{(generation % 2 == 0 ? "*" : "dotnet-echo")}}": "echo" } },
            { "who": "other{{generation}}", "call": { "*": "*" } } ] },
        """;

    /// <summary>The keys of a time: an authority of clients and a client of it, and an RSA key of the node.</summary>
    private sealed class Generation
    {
        private int _users;

        public Generation(TestFolder folder, int number)
        {
            Number = number;
            Ca = new TestCertificates(folder, $"ca{number}");
            Client = Ca.Issue($"client{number}", new CertificateForm { Dns = ["billing.shop"] });
            using RSA rsa = RSA.Create(2048);
            RsaKey = rsa.ExportPkcs8PrivateKeyPem();
            Lists = [Ca.Revoke($"list{number}.crl", 10), Ca.Revoke($"longer{number}.crl", 10, Ca.Issue($"gone{number}"))];
            RsaPublicFile = folder.Write($"rsa{number}.pub", rsa.ExportSubjectPublicKeyInfoPem());
        }

        public int Number { get; }

        public TestCertificates Ca { get; }

        public TestCertificate Client { get; }

        /// <summary>The list of revoked clients, and one with a client more.</summary>
        public string[] Lists { get; }

        public string RsaKey { get; }

        public string RsaPublicFile { get; }

        public bool IsInUse => Volatile.Read(ref _users) > 0;

        public void Enter() => Interlocked.Increment(ref _users);

        public void Leave() => Interlocked.Decrement(ref _users);

    }
}
