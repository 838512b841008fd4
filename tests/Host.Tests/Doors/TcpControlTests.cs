using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>The control of a node over TCP: commands with certificates, their rights, and peers that are no commands.</summary>
public sealed class TcpControlTests : IDisposable
{
    private const string Unknown = "error 401: your certificate names nobody known here\n";

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;
    private readonly TestCertificate _deploy;

    public TcpControlTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
        _deploy = Issue("deploy");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public async Task A_command_with_a_certificate_does_what_the_rules_say_and_the_audit_has_it(string host)
    {
        using ServeProcess serve = await StartAsync(host);
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest("stock"))).Code); // the node's own user, over the Unix socket
        Assert.Equal((0, ""), await AskAsync(serve, _deploy, "app", "create", Manifest("shop")));
        (int code, string output, string error) = await RunAsync(serve, _deploy, "app", "list");
        Assert.True(code == 0 && output.Contains("shop") && !output.Contains("stock"), output + error);
        Assert.Equal((0, ""), await AskAsync(serve, _deploy, "app", "info", "shop"));
        Assert.Equal((1, "error 403: deploy may not pause shop\n"), await AskAsync(serve, _deploy, "app", "pause", "shop"));
        Assert.Equal((1, "error 403: deploy may not info stock\n"), await AskAsync(serve, _deploy, "app", "info", "stock"));
        Assert.Equal((1, "error 403: deploy may not create other\n"), await AskAsync(serve, _deploy, "app", "create", Manifest("other")));
        string serial = _deploy.Certificate.SerialNumber.TrimStart('0').ToLowerInvariant();
        await serve.UntilLineAsync($"audit[566] allowed who=deploy by=certificate serial={serial} peer=", "door=control.tcp action=create app=shop runs=code");
        await serve.UntilLineAsync("audit[565] denied who=deploy by=certificate", "door=control.tcp action=pause app=shop rule=none");
    }

    [Fact]
    public async Task Nobody_comes_in_without_a_certificate_that_a_rule_for_control_names()
    {
        using ServeProcess serve = await StartAsync();
        (int code, string error) = await AskAsync(serve, null, "app", "list");
        Assert.True(code == 3 && error.Contains("the server lets in only clients with a certificate"), error);
        TestCertificates other = new(_folder, "other");
        (code, error) = await AskAsync(serve, other.Issue("deploy2", new CertificateForm { Dns = ["deploy.shop"] }), "app", "list");
        Assert.True(code == 3 && error.Contains("alert"), error);
        Assert.Equal((1, Unknown), await AskAsync(serve, Issue("nobody"), "app", "list"));
        Assert.Equal(
            ("handshake fails", "yes", "401"),
            (Cell("nobody"), Cell("certificate of an identity"), Cell("other certificate"))); // as seen here, and in the test above
        await serve.UntilLineAsync("denied who=@loopback by=nothing", "door=control.tcp action=connect reason=unknown-certificate");
        Assert.Equal((1, "error 403: caller may not connect here\n"), await AskAsync(serve, Issue("caller"), "app", "list")); // its rule is about calls
        await serve.UntilLineAsync("denied who=caller by=certificate", "door=control.tcp action=connect rule=none");
        (code, _, error) = await serve.RunAsync("app", "list", "--node", At(serve).Replace("tls:", "tcp:", StringComparison.Ordinal));
        Assert.True(code == 3, error);
    }

    [Fact]
    public async Task Bytes_that_are_no_commands_harm_nobody()
    {
        using ServeProcess serve = await StartAsync();
        IPEndPoint at = IPEndPoint.Parse(At(serve)["tls://".Length..]);
        using (Socket plain = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 })
        {
            await plain.ConnectAsync(at);
            await plain.SendAsync(NativePeer.Call(1, "list", ""));
            byte[] answer = new byte[256];
            Assert.InRange(plain.Receive(answer), 0, 7); // an alert of TLS, and no answer
        }

        Random random = new(17);
        for (int round = 0; round < 20; round++)
        {
            using SecurePeer peer = await SecurePeer.ConnectAsync($"tcp://{at}", _ca, _deploy);
            byte[] bytes = new byte[random.Next(1, 100_000)];
            random.NextBytes(bytes);
            try
            {
                await peer.SendAsync(bytes);
                await peer.EndAsync();
                await peer.ReadToEndAsync();
            }
            catch (IOException)
            {
                // the node has closed already
            }
        }

        using SecurePeer endless = await SecurePeer.ConnectAsync($"tcp://{at}", _ca, _deploy);
        await endless.SendAsync(NativePeer.Opening(1, 0xdb, 1 << 20)); // the name of a method, of 1 MiB
        Assert.Contains("the name has 1048576 bytes", Encoding.UTF8.GetString(await endless.ReadAsync()));
        Assert.Equal((0, ""), await AskAsync(serve, _deploy, "app", "list"));
        Assert.DoesNotContain("report", serve.Log);
    }

    [Fact]
    public async Task A_reload_takes_the_door_from_a_caller_by_its_rule_and_by_its_certificate()
    {
        using ServeProcess serve = await StartAsync();
        string config = File.ReadAllText(_folder["node.json"]);
        using (Process follower = await FollowAsync(serve))
        {
            File.WriteAllText(_folder["node.json"], config.Replace("\"who\": \"deploy\"", "\"who\": \"other\"", StringComparison.Ordinal));
            serve.Signal("HUP");
            await EndAsync(follower);
            await serve.UntilLineAsync("closed who=deploy by=certificate", "door=control.tcp action=connect reason=rules-changed");
        }

        Assert.Equal((1, "error 403: deploy may not connect here\n"), await AskAsync(serve, _deploy, "app", "list"));
        File.WriteAllText(_folder["node.json"], config);
        serve.Signal("HUP");
        await serve.UntilLogAsync("rules generation=3");
        using Process again = await FollowAsync(serve);
        _ca.Revoke("clients.crl", 10, _deploy);
        serve.Signal("HUP");
        await EndAsync(again);
        (int code, string error) = await AskAsync(serve, _deploy, "app", "list");
        Assert.True(code == 3 && error.Contains("revoked"), error);
    }

    [Fact]
    public async Task A_reload_changes_the_rights_of_a_connection_that_stays()
    {
        using ServeProcess serve = await StartAsync();
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest("shop"))).Code);
        string config = File.ReadAllText(_folder["node.json"]);
        ClientTls tls = new() { CaFile = _ca.CaFile, CertificateFile = _deploy.CertificateFile, KeyFile = _deploy.KeyFile };
        await using NodeControlClient client = await NodeControlClient.ConnectAsync(At(serve), tls, CancellationToken.None);
        Assert.Single(await client.ListAsync());
        await ReloadAsync(config.Replace("\"create\", \"list\",", "\"pause\",", StringComparison.Ordinal), 2);
        Assert.Equal("deploy may not list here", (await Assert.ThrowsAsync<CocaineException>(() => client.ListAsync())).Message);
        await client.PauseAsync("shop");
        await ReloadAsync(config, 3);
        Assert.Single(await client.ListAsync());
        Assert.Equal("deploy may not pause shop", (await Assert.ThrowsAsync<CocaineException>(() => client.PauseAsync("shop"))).Message);

        async Task ReloadAsync(string rules, int generation)
        {
            File.WriteAllText(_folder["node.json"], rules);
            serve.Signal("HUP");
            await serve.UntilLogAsync($"rules generation={generation}");
        }
    }

    [Fact]
    public async Task A_reload_ends_an_answer_that_goes_on_when_its_caller_may_not_have_it_any_more()
    {
        using ServeProcess serve = await StartAsync();
        string config = File.ReadAllText(_folder["node.json"]);
        using Process follower = await FollowAsync(serve);
        File.WriteAllText(_folder["node.json"], config.Replace("\"events\"", "\"logs\"", StringComparison.Ordinal));
        serve.Signal("HUP");
        await serve.UntilLogAsync("rules generation=2");
        while (!follower.WaitForExit(0))
        {
            Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest($"shop{Environment.TickCount64}"))).Code); // more events
        }

        Assert.Contains("error 403: deploy may not events", await follower.StandardError.ReadToEndAsync());
    }

    /// <summary>"Control from other hosts" of docs/security.md, word by word but for the places.</summary>
    [Fact]
    public async Task The_page_of_security_has_a_config_and_a_command_that_work()
    {
        IReadOnlyList<string> blocks = CodeBlocks.Of("docs/security.md", "Control from other hosts");
        string tls = _folder["tls"];
        foreach (string[] words in (string[][])[["ca", tls], ["certificate", tls, "node", "--host", "localhost"], ["certificate", tls, "deploy", "--client"]])
        {
            using Process made = Process.Start(new ProcessStartInfo(ServeProcess.Program, ["keys", .. words]) { RedirectStandardOutput = true })!;
            await made.StandardOutput.ReadToEndAsync();
            await made.WaitForExitAsync();
            Assert.Equal(0, made.ExitCode);
        }

        string config = blocks[0].Replace("/etc/cocaine-fast", _folder.Path, StringComparison.Ordinal);
        Assert.Contains("\"control\": { \"tcp\": \"tcp://*:10055\" }", config);
        string security = config[config.IndexOf("\"security\"", StringComparison.Ordinal)..config.LastIndexOf('}')];
        using ServeProcess serve = await ServeProcess.StartControlAsync(_folder, "\"tcp\": \"tcp://127.0.0.1:0\"", security);
        string command = blocks[1].Replace("tls://node.example.org:10055", At(serve).Replace("127.0.0.1", "localhost", StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace(" tls/", $" {tls}/", StringComparison.Ordinal);
        (int code, _, string error) = await serve.RunAsync(command.Split(' ')[1..]);
        Assert.True(code == 0, error);
    }

    private static string Cell(string peer) => DoorTable.Cell("control over TCP", peer);

    private TestCertificate Issue(string name) => _ca.Issue(name, new CertificateForm { Dns = [$"{name}.shop"] });

    private Task<ServeProcess> StartAsync(string host = "127.0.0.1") =>
        ServeProcess.StartControlAsync(_folder, $"\"tcp\": \"tcp://{host}:0\"", $$"""
            "security": {
              "tls": { "certificate": "{{_server.CertificateFile}}", "key": "{{_server.KeyFile}}", "client-ca": "{{_ca.CaFile}}",
                       "crl": "{{_ca.Revoke("clients.crl", 10)}}" },
              "identities": { "deploy": { "certificate": "DNS:deploy.shop" }, "caller": { "certificate": "DNS:caller.shop" }, "other": { "user": "47110" } },
              "rights": [ { "who": "deploy", "control": ["create", "list", "info", "events"], "apps": "shop*" },
                          { "who": "caller", "call": { "*": "*" } } ] }
            """);

    private string Manifest(string name) => _folder.Write($"{name}.json", $$"""
        { "name": "{{name}}", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py",
          "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
        """);

    private async Task<(int Code, string Error)> AskAsync(ServeProcess serve, TestCertificate? own, params string[] command)
    {
        (int code, _, string error) = await RunAsync(serve, own, command);
        return (code, error);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(ServeProcess serve, TestCertificate? own, params string[] command) =>
        serve.RunAsync([.. command, .. Options(serve, own)]);

    private string[] Options(ServeProcess serve, TestCertificate? own)
    {
        string[] always = ["--node", At(serve), "--ca", _ca.CaFile];
        return own is null ? always : [.. always, "--cert", own.CertificateFile, "--key", own.KeyFile];
    }

    /// <summary>A command that follows the events, and has shown one.</summary>
    private async Task<Process> FollowAsync(ServeProcess serve)
    {
        ProcessStartInfo start = new(ServeProcess.Program, ["events", "-f", .. Options(serve, _deploy)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest($"shop{Environment.TickCount64}"))).Code);
        Process follower = Process.Start(start)!;
        Assert.NotNull(await follower.StandardOutput.ReadLineAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token));
        return follower;
    }

    private static async Task EndAsync(Process follower)
    {
        Task<string> output = follower.StandardOutput.ReadToEndAsync(), error = follower.StandardError.ReadToEndAsync();
        await follower.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        Assert.True(follower.ExitCode == 3, await output + await error);
    }

    /// <summary>The endpoint of control as the node's log has it.</summary>
    private static string At(ServeProcess serve) =>
        "tls" + serve.Log.Split('\n').First(line => line.Contains("control: tcp://")).Split("control: tcp")[1];
}
