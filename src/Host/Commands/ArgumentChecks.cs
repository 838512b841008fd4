using System.CommandLine;
using System.CommandLine.Parsing;

namespace Cocaine.Fast.Host.Commands;

/// <summary>
/// Checks of arguments. They run before the parser reports a value that is not of its type, and reading such a value throws: it is left to
/// the parser then.
/// </summary>
internal static class ArgumentChecks
{
    /// <summary>Adds a check of an option's value, and what is said when it is not passed.</summary>
    public static void Check<T>(this Option<T> option, Predicate<T> isValid, string problem) => option.Validators.Add(result =>
    {
        try
        {
            if (!isValid(result.GetValueOrDefault<T>()!))
            {
                result.AddError(problem);
            }
        }
        catch (InvalidOperationException)
        {
            // not of its type, which the parser reports
        }
    });

    /// <summary>Adds a check of several arguments together; it gives what is wrong, or null.</summary>
    public static void Check(this Command command, Func<CommandResult, string?> problem) => command.Validators.Add(result =>
    {
        try
        {
            if (problem(result) is { } text)
            {
                result.AddError(text);
            }
        }
        catch (InvalidOperationException)
        {
            // one is not of its type, which the parser reports
        }
    });
}
