using System.CommandLine;
using Cocaine.Fast.Host;
using Cocaine.Fast.Host.Commands;

RootCommand root = new("cocaine-fast: an application server for bare-metal hosts. Give it a manifest and it hosts the app.")
{
    RunCommand.Create(),
    CheckCommand.Create(),
    SchemaCommand.Create(),
    CallCommand.Create(),
    BenchCommand.Create(),
    ChaosCommand.Create(),
    InfoCommand.Create(),
    NewCommand.Create(),
    WatchCommand.Create(),
    WorkerCheckCommand.Create(),
};
ParseResult parsed = root.Parse(args);
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TerminationTimeout.Of(parsed) });
