using System.CommandLine;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Host.Commands;

/// <summary>The argument of commands that call an app: its endpoint, or its name, which a locator knows.</summary>
internal sealed class AppDestination
{
    private readonly Argument<string> _endpoint = new("endpoint") { Description = TlsOptions.NameHelp };

    private readonly Option<string?> _locator = new("--locator")
    {
        Description = $"Ask this node's locator for the app's name; without it {EnvironmentNames.Locator}, or {AppLocator.DefaultEndpoint}",
    };

    private readonly TlsOptions _tls;

    private AppDestination(Command command)
    {
        command.Arguments.Insert(0, _endpoint);
        command.Options.Add(_locator);
        command.Check(result => result.GetValue(_locator) is not null && result.GetValue(_endpoint) is { } endpoint && !IsName(endpoint)
            ? $"--locator finds apps by their names, and '{endpoint}' is an endpoint" : null);
        _tls = TlsOptions.AddTo(command, _endpoint);
    }

    /// <summary>Adds the argument, which becomes the command's first, and its options.</summary>
    public static AppDestination AddTo(Command command) => new(command);

    /// <summary>True for the name of an app, or <c>app/task</c>; an endpoint has a colon.</summary>
    public static bool IsName(string endpoint) => endpoint.Length > 0 && !endpoint.Contains(':', StringComparison.Ordinal);

    /// <summary>The destination as the user wrote it.</summary>
    public string Shown(ParseResult parsed) => parsed.GetValue(_endpoint)!;

    /// <summary>The settings of the connection.</summary>
    /// <exception cref="FormatException">The token of the environment is no token.</exception>
    public ClientOptions Options(ParseResult parsed)
    {
        ClientOptions options = _tls.Of(parsed);
        return IsName(Shown(parsed)) && LocatorOf(parsed) is { } locator && ServerConnector.IsTls(locator) && options.Tls is null
            ? options with { Tls = _tls.Tls(parsed) } : options;
    }

    /// <summary>Connects.</summary>
    /// <exception cref="IOException">The app or its locator cannot be reached.</exception>
    /// <exception cref="CocaineException">The locator knows no app of this name.</exception>
    /// <exception cref="FormatException">The endpoint cannot be read.</exception>
    public Task<CocaineClient> ConnectAsync(ParseResult parsed, ClientOptions options, CancellationToken cancellation)
    {
        string endpoint = Shown(parsed);
        return IsName(endpoint) ? CocaineClient.ConnectToAppAsync(endpoint, parsed.GetValue(_locator), options, cancellation)
            : CocaineClient.ConnectAsync(endpoint, options, cancellation);
    }

    /// <summary>The endpoint for many connections: that of the command line, or the first that the locator tells.</summary>
    /// <exception cref="IOException">The locator cannot be reached.</exception>
    /// <exception cref="CocaineException">The locator knows no app of this name.</exception>
    public async Task<string> FindAsync(ParseResult parsed, ClientOptions options, CancellationToken cancellation)
    {
        string endpoint = Shown(parsed);
        return IsName(endpoint) ? (await AppLocator.FindAsync(endpoint, parsed.GetValue(_locator), options, cancellation))[0] : endpoint;
    }

    private string? LocatorOf(ParseResult parsed) => parsed.GetValue(_locator) ?? EnvironmentNames.Get(EnvironmentNames.Locator);
}
