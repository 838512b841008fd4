using System.CommandLine;
using System.CommandLine.Parsing;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Host.Commands;

/// <summary>The options of commands that connect to <c>tls://HOST:PORT</c>.</summary>
internal sealed class TlsOptions
{
    /// <summary>The endpoints of such a command.</summary>
    public const string EndpointHelp = "tcp://HOST:PORT, tls://HOST:PORT or ipc:///path";

    /// <summary>The endpoints of a command that finds apps by their names too.</summary>
    public const string NameHelp = EndpointHelp + ", or an app's name";

    private const string Authorities = "--ca", Certificate = "--cert", Key = "--key", Server = "--server-name";

    private readonly Option<string?> _ca = File(
        Authorities, "TLS: the authorities that the server is judged by; without it those of the system", EnvironmentNames.Authorities);

    private readonly Option<string?> _certificate = File(Certificate, "TLS: the caller's certificate", EnvironmentNames.Certificate);

    private readonly Option<string?> _key = File(Key, "TLS: the private key of the certificate", EnvironmentNames.PrivateKey);

    private readonly Option<string?> _serverName = new(Server)
    {
        Description = "TLS: the name that the server's certificate must have; without it the endpoint's host",
    };

    private readonly Func<SymbolResult, string?> _endpoint;

    private TlsOptions(Func<SymbolResult, string?> endpoint) => _endpoint = endpoint;

    private Option<string?>[] All => [_ca, _certificate, _key, _serverName];

    /// <summary>Adds the options to a command whose endpoint is an argument.</summary>
    public static TlsOptions AddTo(Command command, Argument<string> endpoint) => AddTo(command, result => result.GetValue(endpoint));

    /// <summary>Adds the options to a command whose endpoint is an option.</summary>
    public static TlsOptions AddTo(Command command, Option<string> endpoint) => AddTo(command, result => result.GetValue(endpoint));

    /// <summary>
    /// The settings of the connection. Variables of the environment are set for all commands: those of TLS count for endpoints with TLS,
    /// and the token where it may go.
    /// </summary>
    /// <exception cref="FormatException">The token of the environment is no token.</exception>
    public ClientOptions Of(ParseResult parsed)
    {
        string endpoint = _endpoint(parsed.CommandResult) ?? "";
        bool isTls = ServerConnector.IsTls(endpoint) || (AppDestination.IsName(endpoint) && IsGiven(parsed.CommandResult) is not null);
        return new ClientOptions
        {
            Token = isTls || endpoint.StartsWith("ipc:", StringComparison.Ordinal) ? EnvironmentNames.Get(EnvironmentNames.Token) : null,
            Tls = isTls ? Tls(parsed) : null,
        };
    }

    /// <summary>The settings of TLS of a command line, which may still be being typed; null for an endpoint without TLS.</summary>
    public static ClientTls? Of(ParseResult parsed, string endpoint) => ServerConnector.IsTls(endpoint) ? Settings(parsed) : null;

    /// <summary>The settings of TLS, from the options and the environment.</summary>
    public ClientTls Tls(ParseResult parsed) => Settings(parsed);

    private static ClientTls Settings(ParseResult parsed) => new()
    {
        CaFile = Value(parsed, Authorities, EnvironmentNames.Authorities),
        CertificateFile = Value(parsed, Certificate, EnvironmentNames.Certificate),
        KeyFile = Value(parsed, Key, EnvironmentNames.PrivateKey),
        ServerName = Given(parsed, Server),
    };

    private static TlsOptions AddTo(Command command, Func<SymbolResult, string?> endpoint)
    {
        TlsOptions options = new(endpoint);
        foreach (Option<string?> option in options.All)
        {
            command.Options.Add(option);
        }

        command.Check(options.Problem);
        return options;
    }

    private static Option<string?> File(string name, string description, string variable) => new(name)
    {
        Description = $"{description} (PEM); also by the environment variable {variable}",
    };

    private static string? Value(ParseResult parsed, string option, string variable) =>
        Given(parsed, option) ?? EnvironmentNames.Get(variable);

    private static string? Given(ParseResult parsed, string option) =>
        parsed.GetResult(option) is OptionResult { Implicit: false } result ? result.GetValueOrDefault<string?>() : null;

    private Option<string?>? IsGiven(SymbolResult result) => All.FirstOrDefault(option => result.GetValue(option) is not null);

    private string? Problem(CommandResult result)
    {
        Option<string?>? given = IsGiven(result);
        return given is not null && _endpoint(result) is { } endpoint && !ServerConnector.IsTls(endpoint)
            && !AppDestination.IsName(endpoint)
            ? $"{given.Name} is for endpoints with TLS: {ServerConnector.Scheme}HOST:PORT" : null;
    }
}
