using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Cocaine.Fast.Host;
using Cocaine.Fast.Host.Commands.Shells;

ParseResult parsed = ProgramCommand.Create().Parse(args);
if (args.Length == 0)
{
    HelpExamples.ShortenList(parsed.CommandResult.Command);
    return Mistake.SayHelp(parsed);
}

if (parsed.Action is ParseErrorAction)
{
    return Mistake.Say(parsed);
}

if (parsed.Action is HelpAction)
{
    HelpExamples.ShortenList(parsed.CommandResult.Command);
}

return Mistake.TakenForArgument(parsed, args) is { } option && parsed.Action == parsed.CommandResult.Command.Action
    ? Mistake.SayUnknown(parsed, option)
    : await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TerminationTimeout.Of(parsed) });
