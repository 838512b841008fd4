using System.CommandLine;
using System.CommandLine.Parsing;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Commands;

/// <summary>The options of a command whose call is sealed: three that belong together.</summary>
internal sealed class SealOptions
{
    private readonly Option<string?> _seal = new("--seal")
    {
        Description = "Seal the call with this private RSA key of the caller (PEM), as cocaine-fast keys new makes it",
    };

    private readonly Option<string?> _nodeKey = new("--node-key") { Description = "Seal: the node's public RSA key (PEM)" };

    private readonly Option<string?> _app = new("--app") { Description = "Seal: the name of the app, which the seal ties to the call" };

    private SealOptions()
    {
    }

    private Option<string?>[] All => [_seal, _nodeKey, _app];

    /// <summary>Adds the options to a command.</summary>
    public static SealOptions AddTo(Command command)
    {
        SealOptions options = new();
        foreach (Option<string?> option in options.All)
        {
            command.Options.Add(option);
        }

        command.Check(options.Problem);
        return options;
    }

    /// <summary>The settings of the connection; null for calls without a seal.</summary>
    public ClientSeal? Of(ParseResult parsed) => parsed.GetValue(_seal) is not { } key ? null
        : new ClientSeal { App = parsed.GetValue(_app)!, KeyFile = key, NodeKeyFile = parsed.GetValue(_nodeKey)! };

    private string? Problem(CommandResult result)
    {
        Option<string?>? given = All.FirstOrDefault(option => !string.IsNullOrEmpty(result.GetValue(option)));
        Option<string?>? missing = All.FirstOrDefault(option => string.IsNullOrEmpty(result.GetValue(option)));
        return given is not null && missing is not null
            ? $"{given.Name} needs {missing.Name} too: a sealed call has --seal, --node-key and --app" : null;
    }
}
