using System.Text;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>An environment variable, its readers and its effect.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="ReadBy">The readers: the node, commands, workers or scripts.</param>
/// <param name="Meaning">The effect, for the documentation.</param>
public sealed record EnvironmentName(string Name, string ReadBy, string Meaning);

/// <summary>
/// Every environment variable that the node, its commands, the SDKs and the scripts read. A name has one meaning in all places; a test
/// compares the sources with this table.
/// </summary>
public static class EnvironmentNames
{
    /// <summary>The control endpoint that commands talk to.</summary>
    public const string Control = "COCAINE_NODE";

    /// <summary>The authorities that commands judge a server by.</summary>
    public const string Authorities = "COCAINE_CA";

    /// <summary>The certificate of commands that call over TLS.</summary>
    public const string Certificate = "COCAINE_CERT";

    /// <summary>The private key of the certificate.</summary>
    public const string PrivateKey = "COCAINE_KEY";

    /// <summary>The token of commands that call.</summary>
    public const string Token = "COCAINE_TOKEN";

    /// <summary>The endpoint of the locator, for workers and commands that call apps by their names.</summary>
    public const string Locator = "COCAINE_LOCATOR";

    /// <summary>The runtime folder.</summary>
    public const string RuntimeFolder = "COCAINE_RUNTIME_DIR";

    /// <summary>The interpreter of Python apps.</summary>
    public const string Python = "COCAINE_PYTHON";

    /// <summary>The interpreter of Perl apps.</summary>
    public const string Perl = "COCAINE_PERL";

    /// <summary>The interpreter of JavaScript apps.</summary>
    public const string NodeJs = "COCAINE_NODEJS";

    /// <summary>The version of the app, for a worker.</summary>
    public const string AppVersion = "COCAINE_APP_VERSION";

    /// <summary>The time between a worker's heartbeats, ms.</summary>
    public const string HeartbeatMs = "COCAINE_HEARTBEAT_MS";

    /// <summary>Says whether a worker asks for a pipe in shared memory.</summary>
    public const string Pipe = "COCAINE_PIPE";

    /// <summary>The descriptor of the page beside a worker's socket.</summary>
    public const string BeginPage = "COCAINE_BEGIN_PAGE";

    /// <summary>systemd's folder for the files of a service that outlive it.</summary>
    public const string StateDirectory = "STATE_DIRECTORY";

    /// <summary>systemd's folder for the files of a running service.</summary>
    public const string RuntimeDirectory = "RUNTIME_DIRECTORY";

    /// <summary>systemd's folder for the secrets of a service.</summary>
    public const string CredentialsDirectory = "CREDENTIALS_DIRECTORY";

    /// <summary>systemd's socket for news of a service.</summary>
    public const string NotifySocket = "NOTIFY_SOCKET";

    /// <summary>The process that systemd watches.</summary>
    public const string WatchdogProcess = "WATCHDOG_PID";

    /// <summary>How long systemd waits for a sign of life, µs.</summary>
    public const string WatchdogInterval = "WATCHDOG_USEC";

    /// <summary>The user's folder for files of running programs.</summary>
    public const string UserRuntime = "XDG_RUNTIME_DIR";

    /// <summary>The user's folder for files that outlive programs.</summary>
    public const string UserState = "XDG_STATE_HOME";

    /// <summary>The home folder.</summary>
    public const string Home = "HOME";

    /// <summary>The search path for programs.</summary>
    public const string SearchPath = "PATH";

    /// <summary>The folder for temporary files.</summary>
    public const string Temporary = "TMPDIR";

    /// <summary>The machine's time zone.</summary>
    public const string TimeZone = "TZ";

    /// <summary>The kind of the terminal.</summary>
    public const string Terminal = "TERM";

    /// <summary>No colours, see no-color.org.</summary>
    public const string NoColours = "NO_COLOR";

    /// <summary>The width of the terminal.</summary>
    public const string Columns = "COLUMNS";

    /// <summary>systemd's stream into the journal.</summary>
    public const string Journal = "JOURNAL_STREAM";

    /// <summary>All variables.</summary>
    public static IReadOnlyList<EnvironmentName> All { get; } =
    [
        new(Control, "commands", "the control endpoint of the node that commands talk to; `--node` goes before it"),
        new(Authorities, "commands", "the file of authorities for `tls://` endpoints; `--ca` goes before it"),
        new(Certificate, "commands", "the file of the caller's certificate for `tls://` endpoints; `--cert` goes before it"),
        new(PrivateKey, "commands", "the file of the certificate's private key; `--key` goes before it"),
        new(Locator, "commands", "the endpoint of a node's locator, for apps by their names; `--locator` goes before it"),
        new(Token, "commands", "the caller's token, for `tls://` and `ipc://` endpoints; no option has it, because everybody sees options"),
        new(RuntimeFolder, "node, commands", "the runtime folder: the sockets of workers, and the control socket; see below"),
        new(Python, "node", "the interpreter of Python apps; without it `python3` in /usr/bin, then in `PATH`"),
        new(Perl, "node", "the interpreter of Perl apps; without it `perl` in /usr/bin, then in `PATH`"),
        new(NodeJs, "node", "the interpreter of JavaScript apps; without it `node` in /usr/bin, then in `PATH`"),
        new(SearchPath, "node", "where interpreters are looked for"),
        new(Home, "node", "`HOME` of workers that run as the node's user"),
        new(Temporary, "node, commands", "the folder for temporary files, /tmp without it; the last resort for the runtime folder"),
        new(TimeZone, "node", "`TZ` of workers"),
        new(Terminal, "node, commands", "`dumb`: no colours"),
        new(NoColours, "node, commands", "when it is set: no colours"),
        new(Columns, "commands", "the width of views, when no terminal reports it"),
        new(Journal, "node", "set by systemd: the log goes to the journal, and each line begins with its priority"),
        new(StateDirectory, "node", "set by systemd: the default of `state`"),
        new(RuntimeDirectory, "node", "set by systemd: the runtime folder"),
        new(CredentialsDirectory, "node", "set by systemd: the folder of `LoadCredential=`; paths of secrets may begin with its name"),
        new(NotifySocket, "node", "set by systemd: the socket on which the node reports that it is ready"),
        new(WatchdogProcess, "node", "set by systemd: the process that the watchdog watches"),
        new(WatchdogInterval, "node", "set by systemd: how long the watchdog waits for a sign of life"),
        new(UserRuntime, "node, commands", "for other users than root: the folder of the runtime folder and the ledger"),
        new(UserState, "node", "for other users than root: the folder of `state`; ~/.local/state without it"),
        new(AppVersion, "workers", "set by the node: the `version` of the app's manifest"),
        new(HeartbeatMs, "workers", "set by the node when `heartbeat-timeout` is below 20 s: how often to beat"),
        new(Pipe, "workers", "`0` in `args.env`: the worker stays on its socket and asks for no pipe"),
        new(BeginPage, "workers", "set by the node: the descriptor of the page about begun jobs, for workers on their socket"),
    ];

    /// <summary>The value of a variable; null when it is not set or empty.</summary>
    public static string? Get(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>The table of docs/node.md.</summary>
    internal static string Table()
    {
        StringBuilder text = new("### Environment variables\n\n| variable | read by | meaning |\n| --- | --- | --- |\n");
        foreach (EnvironmentName one in All)
        {
            text.Append($"| `{one.Name}` | {one.ReadBy} | {one.Meaning} |\n");
        }

        return text.Append('\n').ToString();
    }
}
