using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Node.Tests.Control;

/// <summary>The rights to each method of control, for a client with a certificate at the door over TCP.</summary>
public sealed class ControlMethodRightsTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _me;

    public ControlMethodRightsTests()
    {
        _ca = new TestCertificates(_folder);
        _me = _ca.Issue("me", new CertificateForm { Dns = ["me.shop"] });
    }

    private ClientTls Tls => new() { CaFile = _ca.CaFile, CertificateFile = _me.CertificateFile, KeyFile = _me.KeyFile };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_method_asks_for_a_rule_about_itself_and_about_its_app()
    {
        await using TestNode node = Start(Rules("list", "*"));
        await node.AddAsync(TestApps.DotNet(BackendType.Thread) with { Name = "stock" });
        await using RemoteControl control = await OpenAsync(node);
        await using CocaineClient client = await CocaineClient.ConnectAsync(At(control), new ClientOptions { Tls = Tls });
        foreach (string verb in ControlVerbs.All)
        {
            await node.Node.ChangeRulesAsync(Rules(string.Join("\", \"", ControlVerbs.All.Where(other => other != verb)), "*"));
            bool isOfNode = verb is "list" or "metrics" or "stats" or "cluster" or "code", hasManifest = verb is "create" or "replace";
            string denied = $"403 me may not {verb} {(isOfNode || hasManifest ? "here" : "stock")}";
            Assert.Equal(denied, await AskAsync(client, verb, hasManifest ? Manifest("{}") : Request(verb, "stock"))); // its mistakes are not told
            if (!isOfNode && !hasManifest)
            {
                Assert.Equal($"403 me may not {verb} none", await AskAsync(client, verb, Request(verb, "none"))); // nobody learns that it is not here
            }

            if (verb is "info" or "events" or "quarantine")
            {
                Assert.Equal($"403 me may not {verb} here", await AskAsync(client, verb, verb == "quarantine" ? """{ "action": "list" }""" : "{}"));
            }

            await node.Node.ChangeRulesAsync(Rules(verb, "shop*"));
            string other = await AskAsync(client, verb, Request(verb, "stock")), own = await AskAsync(client, verb, Request(verb, "shop0"));
            Assert.True(isOfNode ? !other.StartsWith("403", StringComparison.Ordinal) : other == $"403 me may not {verb} stock", $"{verb}: {other}");
            Assert.False(own.StartsWith("403", StringComparison.Ordinal), own);
        }
    }

    [Fact]
    public async Task Answers_about_several_apps_have_those_of_the_rules()
    {
        await using TestNode node = TestNode.Start(stateDirectory: _folder["state"], tls: _ca.Config(_ca.IssueServer()));
        foreach (string name in (string[])["shop", "stock"])
        {
            RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py") with { Name = name });
            await using CocaineClient caller = await TestNode.ConnectAsync(app);
            await Assert.ThrowsAsync<CocaineException>(() => caller.CallAsync("die_unless", Utf8.Of(_folder["mended"])));
        }

        await RunProcess.UntilAsync(() => node.Node.Quarantine.List(null).Count == 2);
        await node.Node.ChangeRulesAsync(Rules("*", "shop*"));
        await using RemoteControl control = await OpenAsync(node);
        await using NodeControlClient client = await NodeControlClient.ConnectAsync(At(control), Tls, CancellationToken.None);
        Assert.Equal("shop", Assert.Single(await client.ListAsync()).App);
        Assert.Equal("shop", Assert.Single(await client.QuarantineListAsync(null)).App);
        string metrics = await client.MetricsAsync();
        Assert.True(metrics.Contains("\"shop\"", StringComparison.Ordinal) && !metrics.Contains("\"stock\"", StringComparison.Ordinal), metrics);
        HashSet<string> apps = [];
        await foreach (NodeEvent one in client.EventsAsync())
        {
            apps.Add(one.App);
        }

        Assert.Equal(["shop"], apps);
    }

    [Fact]
    public async Task Connections_over_the_bounds_of_an_address_and_of_an_identity_have_their_call_refused()
    {
        await using TestNode node = Start(Rules("list", "*"));
        await using RemoteControl control = await OpenAsync(node);
        List<SecurePeer> peers = [];
        for (int i = 0; i < 32; i++)
        {
            peers.Add(await SecurePeer.ConnectAsync(control.Endpoints[0], _ca, _me));
        }

        await RefusesAsync(control, "control.tcp has too many connections: end some watchers");
        peers.ForEach(peer => peer.Dispose());
        await using TestNode other = Start(Rules("list", "*", connections: 1));
        await using RemoteControl second = await OpenAsync(other);
        using (SecurePeer first = await SecurePeer.ConnectAsync(second.Endpoints[0], _ca, _me))
        {
            await first.SendAsync(NativePeer.Call(1, "list", "{}"));
            Assert.Contains("[]", Encoding.UTF8.GetString(await first.ReadAsync()), StringComparison.Ordinal);
            await RefusesAsync(second, "me has its 1 connections already");
        }

        await RunProcess.UntilAsync(() => other.Node.Doors.Certificates.Tls.Doors!.Sessions == 0);
        await using NodeControlClient again = await NodeControlClient.ConnectAsync(At(second), Tls, CancellationToken.None);
        Assert.Empty(await again.ListAsync()); // those that have gone do not count
    }

    [Fact]
    public async Task A_connection_whose_identity_is_gone_ends_though_others_may_still_do_something()
    {
        await using TestNode node = Start(Rules("list", "*"));
        await using RemoteControl control = await OpenAsync(node);
        using SecurePeer peer = await SecurePeer.ConnectAsync(control.Endpoints[0], _ca, _me);
        await peer.SendAsync(NativePeer.Call(1, "list", "{}"));
        Assert.NotEmpty(await peer.ReadAsync());
        await node.Node.ChangeRulesAsync(Rights.Security.Of("""{ "rights": [ { "who": "@anyone", "control": "list" } ] }"""));
        await control.OnRulesChangedAsync();
        byte[] rest = await peer.ReadAsync();
        Assert.Empty(rest.Length > 0 ? await peer.ReadAsync() : rest); // what is left of the answer comes first
        Assert.Equal(1, node.Log.Split("closed who=me by=certificate").Length - 1);
    }

    private async Task RefusesAsync(RemoteControl control, string text)
    {
        using SecurePeer peer = await SecurePeer.ConnectAsync(control.Endpoints[0], _ca, _me);
        await peer.SendAsync(NativePeer.Call(7, "list", "{}"));
        byte[] answer = await peer.ReadAsync();
        Assert.Equal(7, answer[1]);
        Assert.Contains(text, Encoding.UTF8.GetString(answer), StringComparison.Ordinal);
    }

    private TestNode Start(SecurityConfig rules) => TestNode.Start(tls: _ca.Config(_ca.IssueServer()), security: rules);

    private static Task<RemoteControl> OpenAsync(TestNode node) =>
        RemoteControl.OpenAsync(node.Node, "tcp://127.0.0.1:0", new PlainControlHost(node.Node));

    private static string At(RemoteControl control) => control.Endpoints[0].Replace("tcp://", "tls://", StringComparison.Ordinal);

    private static SecurityConfig Rules(string verbs, string apps, int connections = 100) => Rights.Security.Of($$"""
        { "identities": { "me": { "certificate": "DNS:me.shop", "connections": {{connections}} } },
          "rights": [ { "who": "me", "control": ["{{verbs}}"], "apps": "{{apps}}" } ] }
        """);

    private static string Request(string verb, string app) => verb switch
    {
        "list" or "metrics" or "stats" => "{}",
        "cluster" => """{ "action": "info" }""",
        "code" => """{ "name": "", "size": 0 }""",
        "quarantine" => $$"""{ "action": "list", "app": "{{app}}" }""",
        "create" or "replace" => Manifest(app == "shop0" ? "{}" : $$"""
            { "name": "{{app}}", "type": "python", "args": "{{Repository.Root}}/examples/echo/echo.py",
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """),
        _ => $$"""{ "app": "{{app}}" }""",
    };

    private static string Manifest(string text) => $$"""{ "path": "/etc/app.json", "manifest": {{JsonSerializer.Serialize(text)}} }""";

    private static async Task<string> AskAsync(CocaineClient client, string verb, string request)
    {
        try
        {
            return Encoding.UTF8.GetString(await client.CallAsync(verb, Utf8.Of(request)));
        }
        catch (CocaineException refused)
        {
            return $"{refused.Code} {refused.Message}";
        }
    }
}
