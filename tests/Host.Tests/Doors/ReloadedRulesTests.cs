using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>Rules of a node that runs as a process, for clients with certificates: a bound on calls, and reloads by SIGHUP.</summary>
public sealed class ReloadedRulesTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _billing;

    public ReloadedRulesTests()
    {
        _ca = new TestCertificates(_folder);
        _billing = _ca.Issue("billing", new CertificateForm { Dns = ["billing.shop"] });
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public async Task A_reload_changes_the_rights_of_a_connected_client_and_in_the_end_closes_it(string host)
    {
        using ServeProcess serve = await StartAsync("");
        string endpoint = await CreateAsync(serve, host);
        Assert.StartsWith($"tls://{host}:", endpoint);
        await using CocaineClient client = await ConnectAsync(endpoint, _billing);
        Assert.Equal("hello", await AskAsync(client));
        string config = File.ReadAllText(_folder["node.json"]);
        await ReloadAsync(serve, config.Replace("\"echo\"", "\"other\"", StringComparison.Ordinal), 2);
        Assert.Equal("403 billing may not call 'echo' of shop", await AskAsync(client));
        await ReloadAsync(serve, config, 3);
        Assert.Equal("hello", await AskAsync(client));
        await ReloadAsync(serve, config.Replace("DNS:billing.shop", "DNS:billing.other", StringComparison.Ordinal), 4);
        await Assert.ThrowsAsync<ConnectionLostException>(() => AskAsync(client));
        await serve.UntilLineAsync("closed who=billing by=certificate", "door=shop/event action=connect reason=rules-changed");
        await using CocaineClient again = await ConnectAsync(endpoint, _billing);
        Assert.Equal("401 your certificate names nobody known here", await AskAsync(again));
    }

    [Fact]
    public async Task Calls_beyond_the_bound_of_an_identity_are_refused_on_all_of_its_connections_and_those_of_others_are_not()
    {
        const int Rate = 3;
        using ServeProcess serve = await StartAsync($", \"rate\": {Rate}");
        string endpoint = await CreateAsync(serve, "127.0.0.1");
        await using CocaineClient client = await ConnectAsync(endpoint, _billing), second = await ConnectAsync(endpoint, _billing);
        List<Task<string>> asked = [];
        for (int i = 0; i < 40; i++)
        {
            asked.Add(AskAsync(i % 2 == 0 ? client : second)); // all at once: many more than the burst
        }

        string[] answers = await Task.WhenAll(asked);
        int taken = answers.Count(answer => answer == "hello");
        Assert.InRange(taken, Rate, 39); // the burst, and those that the time gives on a slow machine
        Assert.Equal(answers.Length - taken, answers.Count(answer => answer == $"503 billing is over its {Rate} calls/s"));
        await using CocaineClient other = await ConnectAsync(endpoint, _ca.Issue("stock", new CertificateForm { Dns = ["stock.shop"] }));
        for (int i = 0; i < 2 * Rate; i++)
        {
            Assert.Equal("hello", await AskAsync(other));
        }

        await serve.UntilLineAsync("denied who=billing by=certificate", "reason=rate");
    }

    private async Task<ServeProcess> StartAsync(string bounds)
    {
        TestCertificate server = _ca.IssueServer();
        return await ServeProcess.StartAsync(_folder, $$"""
            "security": {
              "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}", "client-ca": "{{_ca.CaFile}}" },
              "identities": { "billing": { "certificate": "DNS:billing.shop"{{bounds}} }, "stock": { "certificate": "DNS:stock.shop" } },
              "rights": [ { "who": ["billing", "stock"], "call": { "shop": "echo" } } ] }
            """);
    }

    private async Task<string> CreateAsync(ServeProcess serve, string host)
    {
        string manifest = _folder.Write("shop.json", $$"""
            { "name": "shop", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "engine": { "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://{{host}}:0", "events": "*", "tls": "mutual" } } }
            """);
        (int code, _, string error) = await serve.RunAsync("app", "create", manifest);
        Assert.True(code == 0, error);
        await using NodeControlClient control = await serve.ConnectAsync();
        AppSummary app = Assert.Single(await control.ListAsync());
        return app.Endpoints[0].Replace("tcp:", "tls:", StringComparison.Ordinal);
    }

    private Task<CocaineClient> ConnectAsync(string endpoint, TestCertificate own)
    {
        ClientTls tls = new() { CaFile = _ca.CaFile, CertificateFile = own.CertificateFile, KeyFile = own.KeyFile };
        return CocaineClient.ConnectAsync(endpoint, new ClientOptions { Tls = tls });
    }

    private static async Task<string> AskAsync(CocaineClient client)
    {
        try
        {
            return Encoding.UTF8.GetString(await client.CallAsync("echo", "hello"u8.ToArray()));
        }
        catch (CocaineException refused)
        {
            return $"{refused.Code} {refused.Message}";
        }
    }

    private async Task ReloadAsync(ServeProcess serve, string config, int generation)
    {
        File.WriteAllText(_folder["node.json"], config);
        serve.Signal("HUP");
        await serve.UntilLogAsync($"rules generation={generation} ");
    }
}
