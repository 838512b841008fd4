using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Every key that a config knows: the one table behind validation, schema and documentation.</summary>
internal static class ConfigKeys
{
    /// <summary><c>control</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Control =
    [
        new(
            "endpoint", KeyKind.Text, "the Unix socket that commands talk to; everybody who can connect to it can run code as the node",
            "`control.sock` in the runtime folder")
        {
            ExpectedWords = "a Unix socket (ipc:///path)",
        },
        new(
            "tcp", KeyKind.Endpoint,
            "where commands on other hosts control the node: over TLS, with certificates of clients that rules name, docs/security.md")
        {
            ExpectedWords = "an endpoint (tcp://HOST:PORT)",
        },
        new(
            "zeromq", KeyKind.Endpoint,
            "where the JSON control protocol of 2012 is served over ZeroMQ: on `lo` or another address of this host alone, unless the node "
            + "has keys and identities and so takes signed requests only"),
    ];

    /// <summary><c>log</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Log =
    [
        new("level", KeyKind.Text, "the least level that is logged", "information")
        {
            Choices = ["trace", "debug", "information", "warning", "error", "critical", "none"],
        },
        new(
            "audit", KeyKind.AbsolutePath,
            "a file that gets the lines of the audit as well, whatever the level: refused callers, and the uses of control; mode 0600"),
        new("format", KeyKind.Text, "lines for people, or one JSON object in each line", "text") { Choices = ["text", "json"] },
    ];

    /// <summary>The keys of the whole file.</summary>
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new(
            "state", KeyKind.AbsolutePath, "folder for data that outlives the node: the created apps, and the files that they leave behind",
            "`/var/lib/cocaine-fast`; for other users than root, `cocaine-fast` in `$XDG_STATE_HOME` or `~/.local/state`"),
        new(
            "ledger", KeyKind.AbsolutePath, "folder of the job records that `cocaine-fast why` reads: a folder in memory, not on a disk",
            "`ledger` in the default runtime folder, when that folder is in memory; else in `/dev/shm`"),
        new(
            "runtime", KeyKind.AbsolutePath,
            "the runtime folder: the sockets of workers, and the control socket; nobody else may write to it",
            "`/run/cocaine-fast`; for other users than root, `cocaine-fast` in `$XDG_RUNTIME_DIR`; see below"),
        new("control", KeyKind.Section, "the control sockets, below", "its defaults"),
        new(
            "locator", KeyKind.Text,
            "where clients ask for apps by name; `tcp://*:10053` when clients on other hosts shall find them", "tcp://lo:10053")
        {
            ExpectedWords = "an endpoint (tcp://HOST:PORT or ipc:///path), or none",
        },
        new("locator-tls", KeyKind.Text, "the locator's TLS, by `security.tls`; `mutual` wants certificates of clients", "off")
        {
            Choices = ["off", "on", "mutual"],
        },
        new(
            "node-service", KeyKind.Text,
            "the service `node` of Cocaine 0.12 for cocaine-tool: everybody who can connect to it may pause and resume apps", "none")
        {
            ExpectedWords = "an endpoint (tcp://HOST:PORT), or none",
        },
        new("loops", KeyKind.Integer, "event loops that share the apps; 0 = half of the cores, at least 1", "0") { Max = 1024 },
        new("drain-timeout", KeyKind.Duration, "how long jobs may take to finish when the node stops", "30"),
        new(
            "engine", KeyKind.Section, "values for the keys of `engine` that a manifest leaves out: docs/manifest.md",
            "those of manifests"),
        new("log", KeyKind.Section, "the log, below", "its defaults"),
        new("web", KeyKind.Section, "the node's door for HTTP, below", "none"),
        new("cluster", KeyKind.Section, "how the node meets other nodes, below; docs/cluster.md", "the node is alone"),
        new("security", KeyKind.Section, "callers, and their rights, below", "no rules: everybody who reaches a door may use it"),
        new(
            "apps", KeyKind.Words, "manifests of apps that are always there; paths are relative to the config. SIGHUP reads them again")
        {
            DefaultList = [],
        },
    ];
}
