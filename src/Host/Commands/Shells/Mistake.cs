using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>
/// A mistake in the words of a command line, in two lines: the mistake with the nearest name, and the place of the help. The whole help
/// would push the mistake off the screen.
/// </summary>
internal static class Mistake
{
    /// <summary>Prints the first mistake; returns the exit code.</summary>
    public static int Say(ParseResult parsed)
    {
        string command = NameOf(parsed.CommandResult);
        Complaint.Say($"{OnOneLine(Text(parsed, command))}\nsee '{command} --help'");
        return ExitCodes.Invalid;
    }

    /// <summary>Prints that there is no such option; returns the exit code.</summary>
    public static int SayUnknown(ParseResult parsed, string word)
    {
        string command = NameOf(parsed.CommandResult);
        Complaint.Say($"{Unknown(word, parsed.CommandResult.Command, command)}\nsee '{command} --help'");
        return ExitCodes.Invalid;
    }

    /// <summary>Prints the help. Without any word there is no mistake to report, but the user did not ask for the help either.</summary>
    public static int SayHelp(ParseResult parsed)
    {
        parsed.Invoke(new InvocationConfiguration { Output = Console.Error, Error = TextWriter.Null });
        return ExitCodes.Invalid;
    }

    /// <summary>The mistake, as a sentence.</summary>
    internal static string Text(ParseResult parsed, string command)
    {
        Command of = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens.Count > 0)
        {
            return Unknown(parsed.UnmatchedTokens[0], of, command);
        }

        ParseError error = parsed.Errors[0];
        if (error.SymbolResult is CommandResult && of.Subcommands.Count > 0
            && error.Message.Contains("command was not", StringComparison.Ordinal))
        {
            return $"'{command}' needs one of its commands: {string.Join(", ", of.Subcommands.Select(one => one.Name))}";
        }

        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0, Parent: CommandResult } missing)
        {
            return $"'{command}' needs <{missing.Argument.Name}>: {missing.Argument.Description}";
        }

        (string? name, Type? type) = error.SymbolResult switch
        {
            OptionResult option => (option.Option.Name, option.Option.ValueType),
            ArgumentResult { Parent: OptionResult option } => (option.Option.Name, option.Option.ValueType),
            ArgumentResult argument => ($"<{argument.Argument.Name}>", argument.Argument.ValueType),
            _ => (null, null),
        };
        return name is null || type is null ? error.Message
            : error.Message.StartsWith("Cannot parse", StringComparison.Ordinal)
                ? $"{name}: '{error.SymbolResult!.Tokens.FirstOrDefault()?.Value}' is {Expected(type)}"
            : OfListed(name, error.Message) ?? error.Message;
    }

    /// <summary>
    /// An option that the parser took for one of the arguments, when a command may have any number of arguments: <c>run --lop 3
    /// app.json</c>; null when there is none. Words after <c>--</c> are arguments.
    /// </summary>
    internal static string? TakenForArgument(ParseResult parsed, IEnumerable<string> words)
    {
        HashSet<string> before = [.. words.TakeWhile(word => word != "--")];
        return parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Select(token => token.Value)
            .FirstOrDefault(word => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]) && before.Contains(word));
    }

    private static string Unknown(string word, Command of, string command)
    {
        if (word.StartsWith('-') && word.Length > 1)
        {
            IEnumerable<string> options = of.Options.Where(option => !option.Hidden).Select(option => option.Name).Append("--help");
            return $"'{command}' has no option '{word}'{ProblemList.Nearest(word, options)}";
        }

        if (of.Subcommands.Count == 0)
        {
            return $"'{word}' is one word too many for '{command}'";
        }

        // "aplist" is near "app list", and "pause" is one of "app".
        List<string> names = [.. of.Subcommands.Select(one => one.Name)];
        List<string> further = [.. of.Subcommands.SelectMany(one => one.Subcommands.Select(below => $"{one.Name} {below.Name}"))];
        string near = ProblemList.Nearest(word, names);
        if (near.Length == 0)
        {
            near = further.Find(name => name.EndsWith($" {word}", StringComparison.Ordinal)) is { } below
                ? $"; did you mean '{below}'?" : ProblemList.Nearest(word, further);
        }

        string all = near.Length == 0 && names.Count <= 10 ? $"; there are: {string.Join(", ", names)}" : "";
        return $"'{command}' has no command '{word}'{near}{all}";
    }

    private static string Expected(Type valueType)
    {
        Type type = Nullable.GetUnderlyingType(valueType) ?? valueType;
        return type.IsEnum ? $"none of: {string.Join(", ", Enum.GetNames(type).Select(name => name.ToLowerInvariant()))}"
            : type == typeof(double) ? "no number" : type == typeof(ulong) ? "no whole number from 0"
            : type == typeof(int) || type == typeof(long) ? "no whole number" : "no value of its kind";
    }

    /// <summary>The parser's list of values, which has a line for each, as one line; null when the message is another one.</summary>
    private static string? OfListed(string name, string message)
    {
        if (!message.Contains("Must be one of", StringComparison.Ordinal))
        {
            return null;
        }

        string[] quoted = [.. Regex.Matches(message, "'([^']*)'").Select(match => match.Groups[1].Value)];
        return $"{name}: '{quoted[0]}' is none of: {string.Join(", ", quoted.Skip(1))}{ProblemList.Nearest(quoted[0], quoted.Skip(1))}";
    }

    private static string NameOf(CommandResult result) => result.Parent is CommandResult parent
        ? $"{NameOf(parent)} {result.Command.Name}" : "cocaine-fast";

    private static string OnOneLine(string text) => Regex.Replace(text, @"\s*[\r\n]+\s*", " ").TrimEnd('.');
}
