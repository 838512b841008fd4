using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Reads configs of nodes: checks all of a file and reports every mistake at once. The keys are in docs/node.md.</summary>
public static class ConfigReader
{
    private const string Kind = "config";

    /// <summary>Reads a file.</summary>
    public static ConfigResult ReadFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return JsonText.ReadFile(path, Kind, out string problem) is { } bytes ? Read(bytes, path) : Unreadable(path, problem);
    }

    /// <summary>
    /// Reads a config from memory. <paramref name="filePath"/> names the file in messages, and relative paths start from its folder.
    /// </summary>
    public static ConfigResult Read(ReadOnlySpan<byte> utf8, string filePath)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        if (utf8.Length > JsonText.MaxFileBytes)
        {
            return Unreadable(filePath, $"too large for a {Kind}: more than {JsonText.MaxFileBytes} bytes");
        }

        utf8 = JsonText.WithoutMark(utf8);
        ProblemList problems = new(filePath, utf8.ToArray());
        NodeConfig? config = JsonText.Parse(utf8, problems, Kind) is { } root ? new Reader(problems, filePath).Read(root) : null;
        return new ConfigResult(problems.HasErrors ? null : config, problems.Sorted());
    }

    /// <summary>The file is meant as a config: it has keys that only configs have, and none that only manifests have.</summary>
    public static bool IsConfig(string path)
    {
        if (JsonText.ReadFile(path, Kind, out _) is not { } bytes || bytes.Length > JsonText.MaxFileBytes)
        {
            return false; // the reader of manifests reports it
        }

        ReadOnlySpan<byte> utf8 = JsonText.WithoutMark(bytes);
        if (JsonText.Parse(utf8, new ProblemList(path, []), Kind) is not { } root)
        {
            return false;
        }

        HashSet<string> names = [.. root.Members.Select(member => member.Name)];
        string[] both = ["engine", "cluster"]; // sections of manifests and of configs
        return ConfigKeys.Top.Any(spec => spec.Name != "engine" && names.Contains(spec.Name))
            && !ManifestKeys.Top.Any(spec => !both.Contains(spec.Name) && names.Contains(spec.Name));
    }

    private static ConfigResult Unreadable(string path, string message) => new(null, [ManifestProblem.OfFile(path, message)]);

    private sealed class Reader(ProblemList problems, string filePath)
    {
        private readonly KeyReader _keys = new(problems);
        private readonly EndpointChecks _endpoints = new(problems);

        public NodeConfig Read(JsonTree root)
        {
            Dictionary<string, object> values = _keys.Read(root, "$", ConfigKeys.Top);
            Dictionary<string, object> control = Section(values, "control", ConfigKeys.Control);
            Dictionary<string, object> log = Section(values, "log", ConfigKeys.Log);
            NodeConfig defaults = new();
            string? locator = values.GetValueOrDefault("locator") as string ?? defaults.Locator;
            DoorTls locatorTls = Enum.Parse<DoorTls>(values.GetValueOrDefault("locator-tls") as string ?? "off", ignoreCase: true);
            string service = values.GetValueOrDefault("node-service") as string ?? "none";
            CheckEndpoints(root, control, locator, service);
            SecurityConfig security = new SecurityReader(problems, filePath).Read(values.GetValueOrDefault("security") as JsonTree);
            bool hasTls = security.Tls is not null || root["security"]?["tls"] is null; // otherwise TLS has mistakes of its own
            if (root["locator-tls"] is { } door && hasTls && TlsNeeds.ProblemOf(locatorTls, security.Tls) is { } problem)
            {
                problems.Add(door.Offset, "$.locator-tls", problem);
            }

            CheckNetwork(root, locator, locatorTls, service, security.Network, security.Tls?.ClientCaFile is not null);
            if (control.ContainsKey("tcp"))
            {
                CheckTcpControl(root["control"]!["tcp"]!, hasTls ? TlsNeeds.ProblemOf(DoorTls.Mutual, security.Tls) : null, security);
            }

            return new NodeConfig
            {
                StateFolder = values.GetValueOrDefault("state") is string state ? Path.GetFullPath(state) : null,
                LedgerFolder = values.GetValueOrDefault("ledger") is string ledger ? Path.GetFullPath(ledger) : null,
                RuntimeFolder = values.GetValueOrDefault("runtime") is string runtime ? Path.GetFullPath(runtime) : null,
                ControlEndpoint = control.GetValueOrDefault("endpoint") as string,
                TcpControlEndpoint = control.GetValueOrDefault("tcp") as string,
                ZeroMqControlEndpoint = control.GetValueOrDefault("zeromq") as string,
                Locator = locator == "none" ? null : locator,
                LocatorTls = locatorTls,
                NodeService = service == "none" ? null : service,
                Loops = (int)(values.GetValueOrDefault("loops") as long? ?? 0),
                DrainTimeoutMs = values.GetValueOrDefault("drain-timeout") as long? ?? defaults.DrainTimeoutMs,
                LogLevel = log.GetValueOrDefault("level") is string level ? Enum.Parse<LogLevel>(level, ignoreCase: true)
                    : defaults.LogLevel,
                AuditFile = log.GetValueOrDefault("audit") as string,
                LogFormat = log.GetValueOrDefault("format") as string ?? defaults.LogFormat,
                EngineDefaults = Engine(values),
                Web = new WebReader(problems, _keys, _endpoints).Read(root["web"]),
                Cluster = new ClusterReader(problems, _keys).Read(values.GetValueOrDefault("cluster") as JsonTree),
                Security = security,
                Apps = Apps(root["apps"]),
            };
        }

        private Dictionary<string, object> Section(Dictionary<string, object> values, string name, IReadOnlyList<KeySpec> specs) =>
            values.TryGetValue(name, out object? item) ? _keys.Read((JsonTree)item, $"$.{name}", specs) : [];

        private void CheckEndpoints(JsonTree root, Dictionary<string, object> control, string? locator, string service)
        {
            JsonTree? section = root["control"];
            if (control.GetValueOrDefault("endpoint") is string endpoint)
            {
                if (endpoint.StartsWith("ipc://", StringComparison.Ordinal))
                {
                    _endpoints.Check(section!["endpoint"], "$.control.endpoint", "$.control", zeroMq: null, binds: true);
                }
                else
                {
                    problems.Add(
                        section!["endpoint"]!.Offset, "$.control.endpoint",
                        $"'{JsonPath.Shown(endpoint)}': expected a Unix socket (ipc:///path): only there the node can tell users apart");
                }
            }

            if (control.ContainsKey("zeromq"))
            {
                _endpoints.Check(section!["zeromq"], "$.control.zeromq", "$.control.zeromq", "control.zeromq", binds: true);
                if (!IsSigned(root["security"]))
                {
                    CheckIsOnThisHost(section["zeromq"]!);
                }
            }

            if (root["locator"] is { Kind: JsonValueKind.String } at && locator != "none")
            {
                _endpoints.Check(at, "$.locator", "$.locator", zeroMq: null, binds: true);
            }

            if (root["node-service"] is { Kind: JsonValueKind.String } place && service != "none")
            {
                _endpoints.Check(place, "$.node-service", "$.node-service", zeroMq: null, binds: true);
            }
        }

        /// <summary>The node's own doors have the protection that the config wants.</summary>
        private void CheckNetwork(
            JsonTree root, string? locator, DoorTls locatorTls, string service, NetworkFloor floor, bool hasCa)
        {
            void Check(JsonTree? door, string at, Func<string, string?> problemOf)
            {
                if (door is { Kind: JsonValueKind.String } && EndpointSyntax.Problem(door.Text, takesUnix: true) is null
                    && problemOf(door.Text) is { } problem)
                {
                    problems.Add(door.Offset, at, problem);
                }
            }

            Check(locator == "none" ? null : root["locator"], "$.locator", at => NetworkNeeds.LocatorProblem(at, locatorTls, floor));
            Check(
                service == "none" ? null : root["node-service"], "$.node-service", at => NetworkNeeds.PlainProblem(at, "", floor));
            if (root["cluster"] is { Kind: JsonValueKind.Object } cluster && cluster["forward"] is not { Kind: JsonValueKind.False }
                && cluster["listen"] is not { Kind: not JsonValueKind.String })
            {
                string listen = cluster["listen"]?.Text ?? ClusterConfig.DefaultListen;
                JsonTree place = cluster["listen"] ?? cluster;
                if (EndpointSyntax.Problem(listen, takesUnix: false) is null
                    && NetworkNeeds.LinkProblem(listen, hasCa, floor) is { } problem)
                {
                    problems.Add(place.Offset, "$.cluster.listen", problem);
                }
            }

            JsonTree? control = root["control"] is { Kind: JsonValueKind.Object } section ? section["zeromq"] : null;
            Check(control, "$.control.zeromq", at => NetworkNeeds.PlainProblem(at, "use control.tcp, or ", floor));
        }

        /// <summary>Control runs code as the node: over TCP the node knows each caller, and only rules let one in.</summary>
        private void CheckTcpControl(JsonTree value, string? lack, SecurityConfig security)
        {
            const string at = "$.control.tcp";
            if (value.Kind == JsonValueKind.String && value.Text.StartsWith("ipc://", StringComparison.Ordinal))
            {
                problems.Add(
                    value.Offset, at, $"'{JsonPath.Shown(value.Text)}': expected tcp://HOST:PORT; a Unix socket is control.endpoint");
                return;
            }

            _endpoints.Check(value, at, at, zeroMq: null, binds: true);
            if (lack is not null)
            {
                problems.Add(value.Offset, at, $"every caller needs a certificate here: {lack}");
            }

            if (!security.Rights.Any(rule => rule.Control.Count > 0))
            {
                problems.Add(
                    value.Offset, at,
                    "no rule lets a caller control the node: expected 'identities' with 'certificate', and 'control' in a rule of "
                    + "'security.rights'");
            }
        }

        /// <summary>The node has keys and rules: then it takes signed requests only.</summary>
        private static bool IsSigned(JsonTree? security) =>
            security is { Kind: JsonValueKind.Object } && security["keys"] is not null && security["identities"] is not null;

        private void CheckIsOnThisHost(JsonTree zeroMq)
        {
            if (EndpointSyntax.Problem(zeroMq.Text, takesUnix: true) is null && !EndpointSyntax.IsOnThisHost(zeroMq.Text))
            {
                string port = zeroMq.Text[(zeroMq.Text.LastIndexOf(':') + 1)..];
                problems.Add(
                    zeroMq.Offset, "$.control.zeromq",
                    $"'{JsonPath.Shown(zeroMq.Text)}': other hosts can reach it, and everybody who reaches it can run code as the node: "
                    + $"expected an address that only this host has, such as tcp://lo:{port}, or 'keys' and 'identities' in 'security', "
                    + "which make the node take signed requests only");
            }
        }

        private EngineDefaults Engine(Dictionary<string, object> values)
        {
            if (values.GetValueOrDefault("engine") is not JsonTree engine)
            {
                return new EngineDefaults([]);
            }

            Dictionary<string, object> read = _keys.Read(engine, "$.engine", ManifestKeys.Engine);
            EngineReader.Check(problems, engine, read, EngineReader.From(read), type: null);
            return new EngineDefaults(read);
        }

        private List<string> Apps(JsonTree? list)
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(filePath)) ?? "/";
            List<string> apps = [];
            foreach ((JsonTree item, string at) in list is { Kind: JsonValueKind.Array } ? KeyReader.Items(list, "$.apps") : [])
            {
                if (item.Kind != JsonValueKind.String || item.Text.Length == 0 || item.Text.Contains('\0'))
                {
                    continue; // reported as no string already
                }

                string full = Path.GetFullPath(item.Text, folder);
                if (apps.Contains(full))
                {
                    problems.Add(item.Offset, at, $"'{JsonPath.Shown(item.Text)}' stands here twice");
                }

                apps.Add(full);
            }

            return apps;
        }
    }
}
