using System.CommandLine;
using Cocaine.Fast.Host;
using Cocaine.Fast.Host.Commands;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Commands.Why;

RootCommand root = new("cocaine-fast: an application server for bare-metal hosts. Give it a manifest and it hosts the app.")
{
    RunCommand.Create(),
    ServeCommand.Create(),
    AppCommand.Create(),
    EventsCommand.Create(),
    QuarantineCommand.Create(),
    CheckCommand.Create(),
    SchemaCommand.Create(),
    CallCommand.Create(),
    BenchCommand.Create(),
    ChaosCommand.Create(),
    InfoCommand.Create(),
    NewCommand.Create(),
    WatchCommand.Create(),
    WorkerCheckCommand.Create(),
    WhyCommand.Create(),
};
ParseResult parsed = root.Parse(args);
int code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TerminationTimeout.Of(parsed) });
return parsed.Errors.Count > 0 ? ExitCodes.Invalid : code;
