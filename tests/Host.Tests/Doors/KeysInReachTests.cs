using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary><c>check</c> names the apps of a config that could read the node's keys or pass by its rules.</summary>
public sealed class KeysInReachTests : IDisposable
{
    private const string Rules = """ "rights": [ { "who": "@local", "call": { "*": "*" } } ] """;
    private const string SharesUser = "$.isolation.user: without it the workers of shop run as the node's user, which ";
    private const string SharesProcess = "$.engine.backend: shop runs in threads of the node, so its code ";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "process", null)]
    [InlineData(Rules, "process", SharesUser + "can control the node without a rule: name a user")]
    [InlineData(Rules, "thread", SharesProcess + "can control the node without a rule: use \"backend\": \"process\"")]
    [InlineData("KEYS", "process", SharesUser + "can read the node's keys: name a user")]
    [InlineData("TLS", "process", SharesUser + "can read the node's keys: name a user")]
    [InlineData("KEYS, " + Rules, "process", SharesUser + "can read the node's keys, and control the node without a rule: name a user")]
    [InlineData("KEYS, " + Rules, "user", null)]
    public async Task An_app_that_has_the_nodes_user_is_named_when_the_node_has_keys_or_rules(string security, string backend, string? warning)
    {
        using SealKeys keys = new("billing");
        TestCertificates ca = new(_folder);
        TestCertificate server = ca.IssueServer();
        security = security.Replace("KEYS", $"\"keys\": \"{keys.Folder}\"", StringComparison.Ordinal)
            .Replace("TLS", $$""" "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}" } """, StringComparison.Ordinal);
        string app = _folder.Write("shop.json", $$"""
            { "name": "shop", {{(backend == "thread" ? Threads : Processes)}}, {{(backend == "user" ? "\"isolation\": { \"user\": \"65534\" }," : "")}}
              "tasks": { "shop": { "type": "native-server", "endpoint": "tcp://lo:9100", "events": "*" } } }
            """);
        string config = _folder.Write("node.json", $$"""{ "locator": "none", "security": { {{security}} }, "apps": ["{{app}}"] }""");
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check {config}");
        Assert.Equal((0, "ok\n"), (code, output));
        string[] lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (warning is null)
        {
            Assert.Empty(lines);
        }
        else
        {
            Assert.StartsWith($"{app}: warning: {warning}", Assert.Single(lines), StringComparison.Ordinal);
        }
    }

    private static string Processes => $"\"type\": \"python\", \"args\": \"{Repository.Root}/examples/echo/echo.py\"";

    private static string Threads =>
        $"\"type\": \"dotnet\", \"args\": \"{Repository.Root}/examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll\", \"engine\": {{ \"backend\": \"thread\" }}";
}
