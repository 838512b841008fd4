using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Cocaine.Fast.Host;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Lifetime;
using Cocaine.Fast.Host.Terminal;

StandardStreams.Prepare();
return await ProgramFaults.GuardAsync(async () =>
{
    ParseResult parsed = ProgramCommand.Create().Parse(args, ProgramCommand.Parsing);
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

    bool runs = parsed.Action == parsed.CommandResult.Command.Action;
    if (runs && Mistake.TakenForArgument(parsed, args) is { } option)
    {
        return Mistake.SayUnknown(parsed, option);
    }

    if (runs && parsed.CommandResult.Command.Name is ("run" or "serve") && NodeReadiness.ProblemOfLimits() is { } problem)
    {
        Complaint.Say($"cannot start: {problem}"); // before the runtime notices the problem, and ends without a helpful word
        return ExitCodes.Failed;
    }

    return await parsed.InvokeAsync(new InvocationConfiguration
    {
        ProcessTerminationTimeout = TerminationTimeout.Of(parsed),
        EnableDefaultExceptionHandler = false, // the default handler would print a stack
    });
});
