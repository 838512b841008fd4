using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Tests.Configuration;

public class ConfigTests
{
    private const string Whole = """
        {
          // every key
          "state": "/srv/state/", "ledger": "/dev/shm/x", "locator": "none", "node-service": "tcp://lo:1", "loops": 3, "drain-timeout": "2m",
          "control": { "endpoint": "ipc:///run/x/control.sock", "zeromq": "tcp://lo:5000" },
          "engine": { "pool-limit": 3, "queue-timeout": 1.5 },
          "log": { "level": "debug", "format": "json", "audit": "/var/log/audit" },
          "apps": ["echo/manifest.json", "/srv/other.json"],
        }
        """;

    [Fact]
    public void Every_key_is_read()
    {
        ConfigResult result = Read(Whole);
        Assert.Empty(result.Problems);
        NodeConfig config = result.Config!;
        Assert.Equal(("/srv/state/", "/dev/shm/x"), (config.StateFolder, config.LedgerFolder));
        Assert.Equal(("ipc:///run/x/control.sock", "tcp://lo:5000"), (config.ControlEndpoint, config.ZeroMqControlEndpoint));
        Assert.Equal((null, "tcp://lo:1", 3, 120_000L), (config.Locator, config.NodeService, config.Loops, config.DrainTimeoutMs));
        Assert.Equal((LogLevel.Debug, "json", "/var/log/audit"), (config.LogLevel, config.LogFormat, config.AuditFile));
        Assert.Equal(["/etc/cocaine/echo/manifest.json", "/srv/other.json"], config.Apps);
    }

    [Fact]
    public void An_empty_config_has_the_defaults()
    {
        NodeConfig config = Read("{}").Config!;
        Assert.Equal(("tcp://lo:10053", null), (config.Locator, config.NodeService));
        Assert.Equal((0, 30_000L, LogLevel.Information, "text"), (config.Loops, config.DrainTimeoutMs, config.LogLevel, config.LogFormat));
        Assert.Null(config.StateFolder);
        Assert.Null(config.ControlEndpoint);
        Assert.Null(config.ZeroMqControlEndpoint);
        Assert.Empty(config.Apps);
    }

    [Fact]
    public void The_files_of_TLS_are_read_with_their_places()
    {
        NodeConfig config = Read("""
            {
              "locator-tls": "mutual",
              "security": {
                "tls": { "certificate": "/etc/node.pem", "key": "/etc/x/../node.key", "client-ca": "/etc/clients.pem", "crl": "/etc/clients.crl",
                         "names": { "api.example.org": { "certificate": "/etc/api.pem", "key": "/etc/api.key" } },
                         "minimum-version": "1.2", "handshake-timeout": "2s" }
              }
            }
            """).Config!;
        TlsConfig tls = config.Security.Tls!;
        Assert.Equal(DoorTls.Mutual, config.LocatorTls);
        Assert.Equal(("/etc/node.pem", "/etc/node.key"), (tls.CertificateFile, tls.KeyFile));
        Assert.Equal(("/etc/clients.pem", "/etc/clients.crl", true, 2000L), (tls.ClientCaFile, tls.CrlFile, tls.AllowsTls12, tls.HandshakeTimeoutMs));
        Assert.Equal([new TlsName("api.example.org", "/etc/api.pem", "/etc/api.key")], tls.Names);
        TlsPlace place = tls.Places["$.security.tls.names['api.example.org'].key"];
        Assert.Equal((5, 84), (place.Line, place.Column));
        Assert.Null(Read("{}").Config!.Security.Tls);
    }

    [Fact]
    public void A_task_whose_TLS_the_node_cannot_give_is_a_mistake_with_its_place()
    {
        const string manifest = """
            { "name": "shop", "type": "python", "args": "/app.py",
              "tasks": { "a": { "type": "raw-server", "endpoint": "tcp://lo:0" },
                         "b": { "type": "raw-server", "endpoint": "tcp://lo:0", "tls": "mutual" } } }
            """;
        byte[] text = Encoding.UTF8.GetBytes(manifest);
        AppManifest app = ManifestReader.Read(text, "/app.json").Manifest!;
        TlsConfig tls = new() { CertificateFile = "/c", KeyFile = "/k" };
        Assert.Equal("/app.json:3:76: $.tasks.b.tls: the node's config has no certificate for it: security.tls",
            $"{Assert.Single(TlsNeeds.Problems(text, "/app.json", app, null))}");
        Assert.Equal("/app.json:3:76: $.tasks.b.tls: the node's config has no CA of clients for it: security.tls.client-ca",
            $"{Assert.Single(TlsNeeds.Problems(text, "/app.json", app, tls))}");
        Assert.Empty(TlsNeeds.Problems(text, "/app.json", app, tls with { ClientCaFile = "/a" }));
    }

    [Fact]
    public void Defaults_of_the_engine_are_for_what_a_manifest_leaves_out()
    {
        EngineDefaults defaults = Read(Whole).Config!.EngineDefaults;
        EngineSettings left = App(""" "engine": { "queue-limit": 7 } """, defaults).Manifest!.Engine;
        Assert.Equal((3, 1500L, 7, 30_000L), (left.PoolLimit, left.QueueTimeoutMs, left.QueueLimit, left.HeartbeatTimeoutMs));
        EngineSettings own = App(""" "engine": { "pool-limit": 9, "queue-timeout": 0 } """, defaults).Manifest!.Engine;
        Assert.Equal((9, 0L), (own.PoolLimit, own.QueueTimeoutMs));
        Assert.Equal(3, App(""" "version": 1 """, defaults).Manifest!.Engine.PoolLimit);
    }

    [Fact]
    public void A_default_that_does_not_fit_an_app_says_that_it_is_one()
    {
        EngineDefaults defaults = Read("""{"engine": {"backend": "thread", "pool-minimum": 5}}""").Config!.EngineDefaults;
        string[] problems = [.. App(""" "engine": { "pool-limit": 4 } """, defaults).Problems.Select(problem => problem.ToString())];
        Assert.Equal(2, problems.Length);
        Assert.EndsWith(": $.engine.pool-minimum: 5 is more than the pool-limit of 4 (a default of the node)", problems[0]);
        Assert.EndsWith(
            ": $.engine.backend: only dotnet and cpp apps run in threads of the node; a python app needs \"process\" (a default of the node)",
            problems[1]);
        Assert.All(problems, problem => Assert.StartsWith("a.json:1:86: ", problem)); // where 'engine' stands
    }

    [Fact]
    public void Its_keys_tell_a_config_from_a_manifest()
    {
        Assert.True(ConfigReader.IsConfig(Path.Combine(RepositoryRoot.Path, "examples/node.json")));
        Assert.False(ConfigReader.IsConfig(Path.Combine(RepositoryRoot.Path, "examples/echo/manifest.json")));
        Assert.False(ConfigReader.IsConfig("/nowhere.json"));
    }

    [Fact]
    public void The_example_is_good() =>
        Assert.Empty(ConfigReader.ReadFile(Path.Combine(RepositoryRoot.Path, "examples/node.json")).Problems);

    [Fact]
    public void The_schema_names_every_key_where_it_belongs()
    {
        using JsonDocument document = JsonDocument.Parse(ConfigSchema.Write());
        JsonElement properties = document.RootElement.GetProperty("properties");
        Assert.Equal(ConfigKeys.Top.Select(spec => spec.Name), Names(document.RootElement));
        Assert.Equal(ConfigKeys.Control.Select(spec => spec.Name), Names(properties.GetProperty("control")));
        Assert.Equal(ConfigKeys.Log.Select(spec => spec.Name), Names(properties.GetProperty("log")));
        Assert.Equal(ManifestKeys.Engine.Select(spec => spec.Name), Names(properties.GetProperty("engine")));
        JsonElement cluster = properties.GetProperty("cluster");
        Assert.Equal(ClusterKeys.Top.Select(spec => spec.Name), Names(cluster));
        Assert.Equal(ClusterKeys.Tls.Select(spec => spec.Name), Names(cluster.GetProperty("properties").GetProperty("engine-tls")));
        JsonElement security = properties.GetProperty("security");
        Assert.Equal(SecurityKeys.Top.Select(spec => spec.Name), Names(security));
        JsonElement parts = security.GetProperty("properties");
        Assert.Equal(SecurityKeys.Tls.Select(spec => spec.Name), Names(parts.GetProperty("tls")));
        JsonElement name = parts.GetProperty("tls").GetProperty("properties").GetProperty("names").GetProperty("additionalProperties");
        Assert.Equal(SecurityKeys.TlsName.Select(spec => spec.Name), Names(name));
        Assert.Equal(SecurityKeys.Identity.Select(spec => spec.Name), Names(parts.GetProperty("identities").GetProperty("additionalProperties")));
        Assert.Equal(SecurityKeys.Rule.Select(spec => spec.Name), Names(parts.GetProperty("rights").GetProperty("items")));
    }

    private static IEnumerable<string> Names(JsonElement schema) =>
        schema.GetProperty("properties").EnumerateObject().Select(property => property.Name);

    private static ConfigResult Read(string text) => ConfigReader.Read(Encoding.UTF8.GetBytes(text), "/etc/cocaine/node.json");

    private static ManifestResult App(string more, EngineDefaults defaults)
    {
        string text = """{"type":"python","args":"a.py","tasks":{"x":{"type":"manual-scheduler"}}, """ + more + "}";
        return ManifestReader.Read(Encoding.UTF8.GetBytes(text), "a.json", defaults: defaults);
    }
}
