using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>The control protocol of 2012 with signatures: libzmq on the other side, and OpenSSL's command signs.</summary>
public sealed class SignedControlTests : IAsyncLifetime
{
    private static readonly string Host = System.Net.Dns.GetHostName();

    private readonly TestFolder _folder = new();
    private readonly SealKeys _keys = new("deploy", "watcher", "stranger", "mute");
    private readonly ZeroMqPeer _peer = new();
    private TestDaemon _daemon = null!;

    public async Task InitializeAsync()
    {
        _daemon = await TestDaemon.StartAsync(_folder, $$"""
            "control": { "endpoint": "ipc://{{_folder["control.sock"]}}", "zeromq": "tcp://*:0" },
            "security": {
              "keys": "{{_keys.Folder}}",
              "identities": { "deploy": { "rsa": "deploy" }, "watcher": { "rsa": "watcher" }, "mute": { "rsa": "mute" } },
              "rights": [
                { "who": "deploy", "control": ["create", "replace", "info"], "apps": "echo*" },
                { "who": "watcher", "control": "info", "apps": "other" } ] }
            """);
        string endpoint = Assert.Single(_daemon.Daemon.ZeroMqControlEndpoints);
        string port = endpoint[(endpoint.LastIndexOf(':') + 1)..];
        await _peer.OpenAsync("control", "REQ", $"tcp://127.0.0.1:{port}");
    }

    public async Task DisposeAsync()
    {
        _peer.Dispose();
        await _daemon.DisposeAsync();
        _folder.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public async Task Each_signer_does_what_its_rules_give_and_every_use_is_recorded()
    {
        string manifest = JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(_folder.Manifest("unused"))));
        JsonElement created = await AskAsync("deploy", $$""" "create", "apps": { "echo": {{manifest}}, "shop": {{manifest}} }""");
        Assert.True(created.GetProperty("echo").GetProperty("running").GetBoolean(), created.ToString());
        Assert.Equal("deploy may not create shop", created.GetProperty("shop").GetProperty("error").GetString());
        Assert.Equal(["echo 0"], _daemon.Running);
        Assert.Equal("deploy may not delete echo", (await AskAsync("deploy", """ "delete", "apps": ["echo"]"""))
            .GetProperty("echo").GetProperty("error").GetString());
        Assert.Equal(["echo"], (await AskAsync("deploy", """ "info" """)).GetProperty("apps").EnumerateObject().Select(app => app.Name));
        Assert.Empty((await AskAsync("watcher", """ "info" """)).GetProperty("apps").EnumerateObject()); // echo is not its app
        Assert.Equal("mute may not info here", ErrorOf(await AskAsync("mute", """ "info" """)));
        foreach ((string action, string verb) in new[] { ("create", "create"), ("reload", "replace"), ("delete", "delete") })
        {
            string apps = action == "create" ? $$"""{ "echo": {{manifest}} }""" : """["echo"]""";
            JsonElement answer = await AskAsync("mute", $$""" "{{action}}", "apps": {{apps}}""");
            Assert.Equal($"mute may not {verb} echo", answer.GetProperty("echo").GetProperty("error").GetString());
        }

        Assert.Equal("the key of 'stranger' belongs to nobody known here", ErrorOf(await AskAsync("stranger", """ "info" """)));
        Assert.Contains("allowed who=deploy by=rsa peer=zeromq door=control.zeromq action=create app=echo runs=code", _daemon.Log);
        Assert.Contains("denied who=deploy by=rsa peer=zeromq door=control.zeromq action=create app=shop rule=none", _daemon.Log);
        Assert.Contains("denied who=@anyone by=nothing peer=zeromq door=control.zeromq action=control reason=unknown-key", _daemon.Log);
    }

    [Fact]
    public async Task The_page_says_what_the_door_answers()
    {
        const string Unsigned = """{"version": 2, "action": "info"}""", Door = "control protocol of 2012";
        Assert.Equal(DoorTable.Cell(Door, "nobody"), Word(await SendAsync(Unsigned)));
        Assert.Equal(DoorTable.Cell(Door, "sealed by an identity"), Word(await AskAsync("deploy", """ "info" """)));
        using TestFolder folder = new();
        await using TestDaemon open = await TestDaemon.StartAsync(
            folder, $$""" "control": { "endpoint": "ipc://{{folder["control.sock"]}}", "zeromq": "tcp://127.0.0.1:0" } """);
        await _peer.OpenAsync("open", "REQ", Assert.Single(open.Daemon.ZeroMqControlEndpoints));
        await _peer.SendTextAsync("open", Unsigned);
        Assert.Equal(DoorTable.Cell(Door, "without rules"), Word(JsonSerializer.Deserialize<JsonElement>((await _peer.ReceiveTextAsync("open"))[^1])));
    }

    [Fact]
    public async Task Nothing_counts_without_a_signature_or_twice()
    {
        Assert.Equal("this node takes signed requests only: version 3", ErrorOf(await SendAsync("""{"version": 2, "action": "info"}""")));
        string request = Request("deploy", """ "info" """);
        Assert.Equal("signature expected: a frame after the request with its RSA signature, SHA-256", ErrorOf(await SendAsync(request)));
        Assert.Equal("the signature cannot be verified", ErrorOf(await SendAsync(request, Sign("stranger", request))));
        Assert.Equal("SHA-1 signatures are not accepted: sign with SHA-256", ErrorOf(await SendAsync(request, Sign("deploy", request, "-sha1"))));
        byte[] signature = Sign("deploy", request);
        Assert.True((await SendAsync(request, signature)).TryGetProperty("uptime", out _));
        Assert.Equal("the request was carried out before", ErrorOf(await SendAsync(request, signature)));
        Assert.Equal("the signature cannot be verified", ErrorOf(await SendAsync(request.Replace("info", "INFO"), signature)));
        Assert.Contains("denied who=@loopback by=nothing peer=zeromq door=control.zeromq action=control reason=unsigned", _daemon.Log);
        Assert.Contains("reason=signature", _daemon.Log);
    }

    private static string Word(JsonElement answer) =>
        answer.TryGetProperty("uptime", out _) ? "yes" : answer.TryGetProperty("error", out _) ? "an error" : answer.ToString();

    private static string ErrorOf(JsonElement answer) =>
        answer.TryGetProperty("error", out JsonElement error) ? error.GetString()! : $"no error: {answer}";

    private static string Request(string signer, string action) => $$"""
        {"version": 3, "username": "{{signer}}", "node": "{{Host}}", "time": {{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}}, "nonce": "{{Guid.NewGuid()}}", "action": {{action}}}
        """;

    private Task<JsonElement> AskAsync(string signer, string action)
    {
        string request = Request(signer, action);
        return SendAsync(request, Sign(signer, request));
    }

    private async Task<JsonElement> SendAsync(string request, byte[]? signature = null)
    {
        await _peer.SendAsync("control", signature is null ? [Encoding.UTF8.GetBytes(request)] : [Encoding.UTF8.GetBytes(request), signature]);
        return JsonSerializer.Deserialize<JsonElement>((await _peer.ReceiveTextAsync("control"))[^1]);
    }

    private byte[] Sign(string signer, string request, string digest = "-sha256")
    {
        string text = _folder.Write("request", request), signature = _folder["signature"];
        using Process openssl = Process.Start("openssl", ["dgst", digest, "-sign", _keys.KeyOf(signer), "-out", signature, text]);
        openssl.WaitForExit();
        Assert.Equal(0, openssl.ExitCode);
        return File.ReadAllBytes(signature);
    }
}
