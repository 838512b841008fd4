using System.CommandLine;
using System.CommandLine.Parsing;

namespace Cocaine.Fast.Host.Commands;

/// <summary>
/// Checks of arguments. They run before the parser reports a value of a wrong type, and reading such a value throws: the check then leaves
/// it to the parser.
/// </summary>
internal static class ArgumentChecks
{
    /// <summary>Adds a check of an option's value, and the text for a value that fails it.</summary>
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
            // a value of a wrong type, which the parser reports
        }
    });

    /// <summary>Adds a check of several arguments together; it returns the mistake, or null.</summary>
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
            // a value of a wrong type, which the parser reports
        }
    });
}
