using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Host.Commands;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Commands.Keys;
using Cocaine.Fast.Host.Commands.Making;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Commands.Top;
using Cocaine.Fast.Host.Commands.Tunnels;
using Cocaine.Fast.Host.Commands.Why;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host;

/// <summary><c>cocaine-fast</c> with all of its commands.</summary>
internal static class ProgramCommand
{
    /// <summary>
    /// How arguments are read. An argument <c>@x</c> is itself: the parser's own way would read a file x for further words.
    /// </summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    public static RootCommand Create()
    {
        RootCommand root = new(
            "cocaine-fast: an application server for bare-metal hosts. Give it a manifest and it hosts the app.\n\n"
            + "Exit codes: 0 done, 1 tried and failed, 2 an argument or a manifest is wrong, 3 no connection, "
            + "130 and 143 interrupted.\n\n"
            + "Example:\n  cocaine-fast run examples/echo/manifest.json --locator none")
        {
            RunCommand.Create(),
            ServeCommand.Create(),
            AppCommand.Create(),
            ClusterCommand.Create(),
            HealthCommand.Create(),
            MetricsCommand.Create(),
            TopCommand.Create(),
            EventsCommand.Create(),
            QuarantineCommand.Create(),
            CheckCommand.Create(),
            SchemaCommand.Create(),
            CallCommand.Create(),
            BenchCommand.Create(),
            ChaosCommand.Create(),
            InfoCommand.Create(),
            KeysCommand.Create(),
            NewCommand.Create(),
            SdkCommand.Create(),
            TunnelCommand.Create(),
            WatchCommand.Create(),
            WorkerCheckCommand.Create(),
            WhyCommand.Create(),
            CompletionCommand.Create(),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption)
            {
                foreach (string unknownHere in (string[])["/?", "/h", "-?"])
                {
                    option.Aliases.Remove(unknownHere);
                }
            }
            else if (option is VersionOption)
            {
                option.Action = new VersionAction();
            }
        }

        return root;
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            Console.WriteLine(ProductVersion.Text);
            return ExitCodes.Ok;
        }
    }
}
