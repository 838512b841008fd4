using System.CommandLine;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>How long a command may continue after SIGTERM or SIGINT before System.CommandLine ends the process.</summary>
internal static class TerminationTimeout
{
    /// <summary>A chaos run has to end its node and check it: the node's own bounds, and time for a busy machine.</summary>
    private static readonly TimeSpan ForChaos = TimeSpan.FromMinutes(5);

    /// <summary>The default of System.CommandLine.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Null for commands that handle signals themselves: a node has its drain-timeout, and a second signal ends it at once.
    /// </summary>
    public static TimeSpan? Of(ParseResult parsed) => parsed.CommandResult.Command.Name switch
    {
        "run" or "serve" => null,
        "chaos" => ForChaos,
        _ => Usual,
    };
}
